// What many instances cost, and what a long-lived client pays: the resolver's memory, how soon it
// sees a new server, and the list at 10 to 10,000 instances.
// usage: instances-bench BERTH
#include <sys/wait.h>
#include <unistd.h>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/discovery/record_codec.hpp>
#include <berth/discovery/resolver.hpp>
#include <berth/io/event_loop.hpp>
#include <filesystem>
#include <fstream>

#include "bare.hpp"
#include "samples.hpp"

namespace {

using namespace berth;
namespace fs = std::filesystem;

record ours() { return describe_this_process("127.0.0.1", 8080, "1.0.0"); }

std::int64_t nanoseconds_now() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

class fresh_directory {
 public:
  fresh_directory() {
    std::string name = "/dev/shm/berth-bench-XXXXXX";
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

constexpr int publications = 500;

/// In another process: publishes again and again, each time with the moment in it.
pid_t publish_often(const location& where) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  claim owned(where, ours());
  for (int i = 0; i < publications; ++i) {
    ::usleep(4000);
    record now = ours();
    now.metadata["at"] = std::to_string(nanoseconds_now());
    owned.publish(now);
  }
  ::_exit(0);
}

task<> measure_resolver(const location& where) {
  const auto here = co_await current_context();
  bench::samples latency{"publish in another process, seen by the resolver, us", "", {}};
  const pid_t publisher = publish_often(where);
  resolver servers(here, where);
  for (int i = 0; i < publications - 10; ++i) {
    const auto next = co_await servers.changed(deadline::after(std::chrono::seconds(5)));
    if (!next || !*next || !(*next)->metadata.contains("at")) continue;
    const auto took = nanoseconds_now() - std::stoll((*next)->metadata.at("at"));
    latency.microseconds.push_back(static_cast<double>(took) / 1000);
  }
  bench::samples memory{"resolver.current(), ns", "", {}};
  std::size_t seen = 0;
  for (int i = 0; i < 2000; ++i) {
    constexpr int calls = 1000;
    const auto begun = nanoseconds_now();
    for (int call = 0; call < calls; ++call) {
      seen += servers.current().has_value();
      asm volatile("" ::: "memory");
    }
    memory.microseconds.push_back(static_cast<double>(nanoseconds_now() - begun) / calls);
  }
  bench::must(seen > 0);
  co_await servers.close();
  ::waitpid(publisher, nullptr, 0);
  std::vector<bench::samples> all{memory, latency};
  bench::print_table("a client that lives long", all);
}

double milliseconds_of(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const auto& each : command) words.push_back(const_cast<char*>(each.c_str()));
  words.push_back(nullptr);
  const auto begun = nanoseconds_now();
  const pid_t child = ::fork();
  if (child == 0) {
    bench::must(::dup2(::open("/dev/null", O_WRONLY), 1) == 1);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  int status = 1;
  bench::must(::waitpid(child, &status, 0) == child && status == 0);
  return static_cast<double>(nanoseconds_now() - begun) / 1e6;
}

/// Servers that lock nothing and have this process's pid: alive, at the price of asking for it.
void add_instances(const fs::path& below, int from, int to) {
  record plain = ours();
  plain.lock.clear();
  const std::string text = format_record(plain);
  for (int i = from; i < to; ++i) {
    const location where("many", below / std::to_string(i));
    fs::create_directory(where.directory);
    fs::permissions(where.directory, fs::perms(0700));
    std::ofstream(where.port_file()) << text;
    instance_list::enter(where);
  }
}

void measure_list(const std::string& berth) {
  const fresh_directory runtime, below;
  ::setenv("XDG_RUNTIME_DIR", runtime.path().c_str(), 1);
  fmt::print("\n{:<12}{:>24}{:>32}\n", "instances", "berth list, median ms",
             "read_live of one, median us");
  int have = 0;
  for (const int count : {10, 100, 1000, 10000}) {
    add_instances(below.path(), have, count);
    have = count;
    bench::samples list, one;
    for (int i = 0; i < 7; ++i)
      list.microseconds.push_back(milliseconds_of({berth, "--app", "many", "list"}));
    const location last("many", below.path() / std::to_string(count - 1));
    for (int i = 0; i < 5000; ++i) {
      const bench::stopwatch watch(one);
      bench::must(read_live(last).has_value());
    }
    fmt::print("{:<12}{:>24.1f}{:>32.2f}\n", count, list.quantile(0.5), one.quantile(0.5));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const fresh_directory directory;
  run(measure_resolver(location("pm", directory.path())));
  measure_list(argv[1]);
}
