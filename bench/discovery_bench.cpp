// Measures discovery within a process: looking a server up, publishing and removing one, compared
// with the bare system calls and with what people use instead. Pinned to one processor; the threads
// of the pool run on another.
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <fstream>
#include <thread>

#include <berth/client/async.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/offload.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record_codec.hpp>

#include <fmt/format.h>

#include "harness.hpp"
#include "loop_bench.hpp"
#include "others/others.hpp"

namespace {

using namespace berth;
using bench::must;

constexpr int many = 4000, some = 400;

record ours() { return describe_this_process("127.0.0.1", 8080, "1.0.0"); }

void write_foreign(const location& where, record server) {
  server.lock.clear();
  std::ofstream(where.port_file()) << format_record(server);
}

/// One live server of ours, and directories with other things in them.
struct places {
  explicit places(const bench::file_system& on) : name(on.name), root(on.below) {
    for (const auto& each : {foreign, bare_pid, empty, stale})
      bench::must(fs_create(each.directory));
    write_foreign(foreign, ours());
    record without_start = ours();
    without_start.origin = {};
    write_foreign(bare_pid, without_start);
  }
  static bool fs_create(const std::filesystem::path& directory) {
    return std::filesystem::create_directory(directory);
  }
  location at(const char* below) const { return {"pm", root.path() / below}; }

  std::string name;
  bench::scratch_directory root;
  location live = at("live"), foreign = at("foreign"), bare_pid = at("bare-pid"),
           empty = at("empty"), stale = at("stale");
  claim owned{live, ours(), claim_options()};
  std::string path = live.port_file().string();
};

// ---- look-up -----------------------------------------------------------------------------------

/// Drops the file from the page cache: the next read waits for the disk.
void forget_content(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  must(file >= 0 && ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0);
  ::close(file);
}

task<> pool_job(bench::samples& taken, const std::string& path) {
  auto job = [&path] { bench::bare_read_live(path.c_str()); };
  const auto begun = bench::nanoseconds_now();
  const auto done = co_await offload(std::move(job));
  taken.add_since(begun);
  must(done.has_value());
}

task<> coroutine_read(bench::samples& taken, const location& where) {
  const auto begun = bench::nanoseconds_now();
  const auto found = co_await async::read(where);
  taken.add_since(begun);
  must(found.has_value());
}

task<> coroutine_read_live(bench::samples& taken, const location& where) {
  const auto begun = bench::nanoseconds_now();
  const auto found = co_await async::read_live(where);
  taken.add_since(begun);
  must(found.has_value());
}

/// Another process, on another processor, that publishes again and again without a pause.
class storm {
 public:
  explicit storm(const location& where) : child_(::fork()) {
    if (child_ != 0) return;
    bench::pin_to(1);
    claim owned(where, ours());
    for (;;) owned.publish(ours());
  }
  storm(const storm&) = delete;
  storm& operator=(const storm&) = delete;
  ~storm() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

 private:
  pid_t child_;
};

void add_lookups(const places& at, event_loop& loop) {
  const auto name = [&](const char* what) { return fmt::format("lookup/{}/{}", at.name, what); };
  const char* const path = at.path.c_str();
  static const process_liveness by_process;
  static const always_alive by_nothing;
  const auto pid = static_cast<pid_t>(ours().pid);

  bench::add(name("open fstat read close"), many, [=] { bench::bare_read(path); });
  bench::add(name("open fstat read getlk close"), many, [=] { bench::bare_read_live(path); });
  bench::add(name("stat open stat read read close kill"), many,
             [=] { bench::careless_read_live(path, pid); });
  bench::add(name("flock probe and read"), many, [=] { bench::flock_probe(path); });
  bench::add(name("read"), many, [&at] { must(read(at.live).has_value()); });
  bench::add(name("read_live"), many, [&at] { must(read_live(at.live).has_value()); });
  bench::add(name("read_live by pid"), many,
             [&at] { must(read_live(at.bare_pid, by_process).has_value()); });
  bench::add(name("read_live by pid and start time"), many,
             [&at] { must(read_live(at.foreign, by_process).has_value()); });
  bench::add(name("read_live always alive"), many,
             [&at] { must(read_live(at.live, by_nothing).has_value()); });
  bench::add(name("read_live no file"), many, [&at] { must(!read_live(at.empty)); });
  record gone = ours();
  gone.pid = 4'000'000'000;
  bench::add_timed(name("read_live removes a stale file"), some, [&at, gone](auto& taken) {
    write_foreign(at.stale, gone);
    taken.time([&] { must(!read_live(at.stale)); });
  });
  bench::add_timed(name("one pool job"), some,
                   [&at, &loop](auto& taken) { loop.run(pool_job(taken, at.path)); });
  bench::add_timed(name("co_await read"), many,
                   [&at, &loop](auto& taken) { loop.run(coroutine_read(taken, at.live)); });
  bench::add_timed(name("co_await read_live"), many,
                   [&at, &loop](auto& taken) { loop.run(coroutine_read_live(taken, at.live)); });
  if (at.name != "disk") return;
  bench::add_timed(name("one pool job, not cached"), some, [&at, &loop](auto& taken) {
    forget_content(at.path);
    loop.run(pool_job(taken, at.path));
  });
  bench::add_timed(name("co_await read_live, not cached"), some, [&at, &loop](auto& taken) {
    forget_content(at.path);
    loop.run(coroutine_read_live(taken, at.live));
  });
}

/// Accepts connections on a port of the loopback address and closes them at once; returns the port.
std::uint16_t listening_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(::listen(socket, 4096) == 0);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  must(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  static const std::jthread accepting([socket](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd ready{socket, POLLIN, 0};
      if (::poll(&ready, 1, 50) == 1) ::close(::accept(socket, nullptr, nullptr));
    }
    ::close(socket);
  });
  return ntohs(address.sin_port);
}

void add_lookup_by_connecting(const places& at) {
  static const location where = at.at("connect");
  std::filesystem::create_directory(where.directory);
  record server = ours();
  server.port = listening_port();
  write_foreign(where, server);
  static const connect_liveness by_connecting;
  bench::add(fmt::format("lookup/{}/read_live by connecting", at.name), some,
             [] { must(read_live(where, by_connecting).has_value()); });
}

void add_lookup_in_storm(const places& at) {
  const location where = at.at("storm");
  const auto body = [where](benchmark::State& state) {
    const storm blows(where);
    while (!read_live(where)) {
    }
    bench::samples taken;
    for (auto _ : state) taken.time([&] { must(read_live(where).has_value()); });
    taken.report(state);
  };
  benchmark::RegisterBenchmark(
      fmt::format("lookup/{}/read_live while published without pause", at.name).c_str(), body)
      ->Iterations(many);
}

// ---- publishing --------------------------------------------------------------------------------

void add_publishing(const places& at) {
  for (const bool sync : {false, true}) {
    const auto name = [&](const char* what) {
      return fmt::format("publish/{}/{}{}", at.name, what, sync ? ", fsync" : "");
    };
    if (sync && at.name != "disk") continue;
    bench::add_timed(name("bare system calls"), some, [&at, sync](auto& taken) {
      const std::string path = (at.root.path() / "bare.json").string(),
                        text = format_record(ours());
      bench::bare_publication bare;
      taken.time([&] { bare.publish(path, text, sync); });
      bare.remove(path);
    });
    bench::add_timed(name("publish"), some, [&at, sync](auto& taken) {
      const record server = ours();
      claim_options options;
      options.sync = sync;
      std::optional<claim> owned;
      taken.time([&] { owned.emplace(at.empty, server, options); });
      owned->remove();
    });
  }
  const auto name = [&](const char* what) { return fmt::format("remove/{}/{}", at.name, what); };
  bench::add_timed(name("bare system calls"), some, [&at](auto& taken) {
    const std::string path = (at.root.path() / "bare.json").string(), text = format_record(ours());
    bench::bare_publication bare;
    bare.publish(path, text, false);
    taken.time([&] { bare.remove(path); });
  });
  bench::add_timed(name("remove"), some, [&at](auto& taken) {
    claim owned(at.empty, ours());
    taken.time([&] { owned.remove(); });
  });
  bench::add_timed(fmt::format("publish/{}/plain write of the reference", at.name), some,
                   [&at](auto& taken) {
                     const std::string path = (at.root.path() / "plain.json").string(),
                                       text = format_record(ours());
                     taken.time([&] { bench::careless_write(path, text); });
                     ::unlink(path.c_str());
                   });
}

task<> publish_and_remove(bench::samples& publishing, bench::samples& removing, location where) {
  const record server = ours();
  auto begun = bench::nanoseconds_now();
  auto published = co_await async::publish(where, server);
  publishing.add_since(begun);
  begun = bench::nanoseconds_now();
  const auto removed = co_await async::remove(*published);
  removing.add_since(begun);
  must(removed.has_value());
}

void add_coroutine_publishing(const places& at, event_loop& loop) {
  for (const bool removes : {false, true})
    bench::add_timed(fmt::format("{0}/{1}/co_await {0}", removes ? "remove" : "publish", at.name),
                     some, [&at, &loop, removes](auto& taken) {
                       bench::samples other;
                       loop.run(removes ? publish_and_remove(other, taken, at.empty)
                                        : publish_and_remove(taken, other, at.empty));
                     });
}

/// Starts the threads of the pool, which stay on the processors that are set at the first job.
task<> start_pool() {
  auto nothing = [] {};
  for (int i = 0; i < 8; ++i) {
    const auto done = co_await offload(nothing);
    must(done.has_value());
  }
}

}  // namespace

int main(int argc, char** argv) {
  event_loop loop;
  bench::pin_to(1);
  loop.run(start_pool());
  bench::pin_to(0);
  std::vector<std::unique_ptr<places>> all;
  for (const auto& each : bench::file_systems()) {
    const places& at = *all.emplace_back(std::make_unique<places>(each));
    add_lookups(at, loop);
    add_publishing(at);
    add_coroutine_publishing(at, loop);
  }
  add_lookup_by_connecting(*all.front());
  add_lookup_in_storm(*all.front());
  bench::add_lookup_from_memory(loop, all.front()->live);
  bench::add_loaded_loop(loop, all.front()->live, all.front()->empty);
  const bench::scratch_directory scratch(bench::file_systems().front().below);
  const auto servers = bench::add_others(scratch.path(), format_record(ours()));
  return bench::run(argc, argv);
}
