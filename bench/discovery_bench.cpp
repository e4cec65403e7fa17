// What it costs to look a server up and to publish one, beside the bare system calls.
// usage: discovery-bench [ROUNDS] [DISK_DIRECTORY]
#include <sys/utsname.h>

#include <berth/discovery/async.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/discovery/record_codec.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/offload.hpp>
#include <filesystem>
#include <fstream>

#include "bare.hpp"
#include "samples.hpp"

namespace {

using namespace berth;
namespace fs = std::filesystem;

constexpr int turn = 200;  // calls of one kind before the next kind has its turn

class fresh_directory {
 public:
  explicit fresh_directory(const fs::path& below) {
    std::string name = (below / "berth-bench-XXXXXX").string();
    bench::must(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  fresh_directory(const fresh_directory&) = delete;
  fresh_directory& operator=(const fresh_directory&) = delete;
  ~fresh_directory() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

record ours() { return describe_this_process("127.0.0.1", 8080, "1.0.0"); }

template <typename Call>
void times(int count, bench::samples& into, Call call) {
  for (int i = 0; i < count; ++i) {
    const bench::stopwatch watch(into);
    call();
  }
}

task<> bare_pool_job(int count, bench::samples& into, const std::string& path) {
  for (int i = 0; i < count; ++i) {
    const bench::stopwatch watch(into);
    auto job = [&path] { bench::bare_read_live(path.c_str()); };
    const auto done = co_await offload(std::move(job));
    bench::must(done.has_value());
  }
}

task<> coroutine_read(int count, bench::samples& into, const location& where) {
  for (int i = 0; i < count; ++i) {
    const bench::stopwatch watch(into);
    const auto found = co_await async::read(where);
    bench::must(found.has_value());
  }
}

task<> coroutine_read_live(int count, bench::samples& into, const location& where) {
  for (int i = 0; i < count; ++i) {
    const bench::stopwatch watch(into);
    const auto found = co_await async::read_live(where);
    bench::must(found.has_value());
  }
}

void measure_lookup(const std::string& title, const fs::path& below, int rounds) {
  const fresh_directory directory(below), foreign_directory(below), empty(below);
  const location where("pm", directory.path()), foreign("pm", foreign_directory.path());
  const location nowhere("pm", empty.path());
  const claim owned(where, ours());
  record plain = ours();
  plain.lock.clear();
  std::ofstream(foreign.port_file()) << format_record(plain);
  const std::string path = where.port_file().string();
  const process_liveness by_process;
  const always_alive by_nothing;

  enum {
    floor_read,
    reads,
    floor_live,
    careless,
    live,
    process,
    always,
    none,
    pool,
    co_reads,
    co_live
  };
  std::vector<bench::samples> all = {
      {"open fstat read close", "", {}},
      {"read", "open fstat read close", {}},
      {"open fstat read getlk close", "", {}},
      {"stat open stat read read close kill", "open fstat read getlk close", {}},
      {"read_live, by the lock", "open fstat read getlk close", {}},
      {"read_live, by pid and start time", "open fstat read getlk close", {}},
      {"read_live, always alive", "open fstat read getlk close", {}},
      {"read_live, no file", "open fstat read getlk close", {}},
      {"one pool job doing the bare calls", "open fstat read getlk close", {}},
      {"co_await read", "read", {}},
      {"co_await read_live", "read_live, by the lock", {}},
  };
  event_loop loop;
  const auto pid = static_cast<pid_t>(plain.pid);
  for (int round = -1; round < rounds; ++round) {
    times(turn, all[floor_read], [&] { bench::bare_read(path.c_str()); });
    times(turn, all[reads], [&] { bench::must(read(where).has_value()); });
    times(turn, all[floor_live], [&] { bench::bare_read_live(path.c_str()); });
    times(turn, all[careless], [&] { bench::careless_read_live(path.c_str(), pid); });
    times(turn, all[live], [&] { bench::must(read_live(where).has_value()); });
    times(turn, all[process], [&] { bench::must(read_live(foreign, by_process).has_value()); });
    times(turn, all[always], [&] { bench::must(read_live(where, by_nothing).has_value()); });
    times(turn, all[none], [&] { bench::must(!read_live(nowhere)); });
    loop.run(bare_pool_job(turn, all[pool], path));
    loop.run(coroutine_read(turn, all[co_reads], where));
    loop.run(coroutine_read_live(turn, all[co_live], where));
    if (round >= 0) continue;  // the first round warms up
    for (auto& each : all) each.microseconds.clear();
  }
  bench::print_table(title, all);
}

task<> coroutine_publish(bench::samples& publishing, bench::samples& removing, location where) {
  std::optional<claim> owned;
  const record server = ours();
  {
    const bench::stopwatch watch(publishing);
    auto published = co_await async::publish(where, server);
    owned.emplace(std::move(published).value());
  }
  const bench::stopwatch watch(removing);
  const auto removed = co_await async::remove(*owned);
  removed.value();
}

void measure_publishing(const std::string& title, const fs::path& below, int rounds) {
  const fresh_directory directory(below), bare_directory(below);
  const location where("pm", directory.path());
  const std::string bare_path = (bare_directory.path() / "server.json").string();
  const std::string text = format_record(ours());

  enum { floor, publish, co_publish, floor_sync, publish_sync, floor_remove, removes, co_removes };
  std::vector<bench::samples> all = {
      {"bare calls of a publish", "", {}},
      {"publish", "bare calls of a publish", {}},
      {"co_await publish", "publish", {}},
      {"bare calls with fsync", "", {}},
      {"publish with fsync", "bare calls with fsync", {}},
      {"bare calls of a remove", "", {}},
      {"remove", "bare calls of a remove", {}},
      {"co_await remove", "remove", {}},
  };
  event_loop loop;
  for (int round = -1; round < rounds; ++round) {
    for (int i = 0; i < turn / 20; ++i) {
      for (const bool sync : {false, true}) {
        bench::bare_publication bare;
        const record server = ours();
        claim_options options;
        options.sync = sync;
        {
          const bench::stopwatch watch(all[sync ? floor_sync : floor]);
          bare.publish(bare_path, text, sync);
        }
        times(1, all[floor_remove], [&] { bare.remove(bare_path); });
        std::optional<claim> owned;
        times(1, all[sync ? publish_sync : publish],
              [&] { owned.emplace(where, server, options); });
        times(1, all[removes], [&] { owned->remove(); });
      }
      loop.run(coroutine_publish(all[co_publish], all[co_removes], where));
    }
    if (round >= 0) continue;
    for (auto& each : all) each.microseconds.clear();
  }
  bench::print_table(title, all);
}

void print_machine() {
  utsname system;
  ::uname(&system);
  fmt::print("{} {}, {} processors, compiler {}\n", system.sysname, system.release,
             ::sysconf(_SC_NPROCESSORS_ONLN), __VERSION__);
  fmt::print("ratio: to the bare calls named first, for co_await to the call it stands for\n");
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 50;
  const fs::path disk = argc > 2 ? argv[2] : ".";
  const fs::path memory = fs::is_directory("/dev/shm") ? "/dev/shm" : disk;
  print_machine();
  measure_lookup("look-up, memory file system, microseconds", memory, rounds);
  measure_lookup("look-up, disk, microseconds", disk, rounds);
  measure_publishing("publishing, memory file system, microseconds", memory, rounds);
  measure_publishing("publishing, disk, microseconds", disk, rounds);
}
