// What discovery costs across processes: the command line, how soon a waiting client holds a new
// server's record, starting a server, ensure, and the list of many instances.
// usage: process-bench BERTH PM_SERVER READER LOOKUP C_LIBRARY [options of Google Benchmark]
#include <arpa/inet.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#include <berth/discovery/async.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/ensure.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/discovery/process.hpp>
#include <berth/discovery/record_codec.hpp>
#include <berth/io/event_loop.hpp>
#include <fstream>
#include <random>

#include <fmt/format.h>

#include "child.hpp"
#include "harness.hpp"

namespace {

using namespace berth;
using bench::must;
using bench::fs::path;

record ours() { return describe_this_process("127.0.0.1", 8080, "1.0.0"); }

location below(const path& root, const char* name) {
  const location where("pm", root / name);
  std::filesystem::create_directory(where.directory);
  std::filesystem::permissions(where.directory, std::filesystem::perms(0700));
  return where;
}

// ---- the command line --------------------------------------------------------------------------

void add_commands(const std::string& berth, const std::string& reader, const location& live) {
  const std::string directory = live.directory.string(), file = live.port_file().string();
  const auto add = [](const char* name, bench::command_words command) {
    bench::add(fmt::format("process/{}", name), 100,
               [command] { must(bench::succeeds(bench::spawn(command))); });
  };
  add("true", {"/bin/true"});
  add("a C program that reads the file", {reader, file});
  add("berth url", {berth, "--config-dir", directory, "url"});
  add("berth status", {berth, "--config-dir", directory, "status"});
  add("a Python script that reads the file",
      {"/usr/bin/python3", "-c",
       "import json, os, sys\nserver = json.load(open(sys.argv[1]))\nos.kill(server['pid'], 0)\n"
       "print(server['port'])",
       file});
}

// ---- from Python -------------------------------------------------------------------------------

void add_python(const std::string& lookup, const std::string& library, const location& live) {
  const auto add = [&](const char* name, const std::string& way) {
    bench::add_timed(fmt::format("python/{}", name), 1, [=](auto& taken) {
      const std::string command =
          fmt::format("/usr/bin/python3 '{}' '{}' '{}' 2000", lookup, way, live.directory.string());
      FILE* const numbers = ::popen(command.c_str(), "r");
      must(numbers != nullptr);
      for (double taken_ns = 0; std::fscanf(numbers, "%lf", &taken_ns) == 1;)
        taken.add(taken_ns / 1000);
      must(::pclose(numbers) == 0);
    });
  };
  add("read_live through the C library", library);
  add("open, json.load and kill by hand", "plain");
}

// ---- from publishing to a client that waits ----------------------------------------------------

std::int64_t wait_by_inotify(const location& where) {
  const int watch = ::inotify_init1(IN_CLOEXEC);
  must(::inotify_add_watch(watch, where.directory.c_str(), IN_MOVED_TO) >= 0);
  alignas(inotify_event) char events[4096];
  must(::read(watch, events, sizeof events) > 0);
  const auto now = bench::nanoseconds_now();
  ::close(watch);
  return now;
}

std::int64_t wait_by_polling(const location& where, int milliseconds) {
  while (!read_live(where)) ::usleep(static_cast<useconds_t>(milliseconds) * 1000);
  return bench::nanoseconds_now();
}

/// When a coroutine held the record: to close the watch takes the kernel up to 20 ms more.
task<std::int64_t> moment_of_live(location where) {
  const auto found = co_await async::wait_live(where);
  must(found.has_value());
  co_return bench::nanoseconds_now();
}

/// The part of the other process: waits whenever it is told to, and answers with the moment at
/// which it had what it waited for.
int wait_for_publications(const std::string& how, const location& where) {
  bench::pin_to(1);
  char told;
  while (::read(0, &told, 1) == 1) {
    const auto now = how == "inotify"     ? wait_by_inotify(where)
                     : how == "wait_live" ? run(moment_of_live(where))
                                          : wait_by_polling(where, std::stoi(how));
    must(::write(1, &now, sizeof now) == sizeof now);
  }
  return 0;
}

class waiting_client {
 public:
  waiting_client(const std::string& how, const location& where) {
    int to[2], from[2];
    must(::pipe2(to, O_CLOEXEC) == 0 && ::pipe2(from, O_CLOEXEC) == 0);
    if (::fork() == 0) {
      ::dup2(to[0], 0);
      ::dup2(from[1], 1);
      ::execl("/proc/self/exe", "process-bench", "--wait", how.c_str(), where.directory.c_str(),
              nullptr);
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    requests_ = to[1];
    answers_ = from[0];
  }
  waiting_client(const waiting_client&) = delete;
  waiting_client& operator=(const waiting_client&) = delete;
  ~waiting_client() {  // which ends it
    ::close(requests_);
    ::close(answers_);
    ::wait(nullptr);
  }

  void begin() { must(::write(requests_, "w", 1) == 1); }
  std::int64_t moment() {
    std::int64_t at = 0;
    must(::read(answers_, &at, sizeof at) == sizeof at);
    return at;
  }

 private:
  int requests_, answers_;
};

/// `publish` gives the moment at which it began.
template <typename Publish, typename Remove>
void add_wait(const std::string& name, int calls, const std::string& how, int period_ms,
              const location& where, Publish publish, Remove remove) {
  const auto body = [=](benchmark::State& state) {
    waiting_client client(how, where);
    bench::samples taken;
    std::minstd_rand random(1);
    for (auto _ : state) {
      client.begin();
      ::usleep(
          static_cast<useconds_t>(3000 + random() % (1000u * static_cast<unsigned>(period_ms))));
      const auto begun = publish();
      taken.add(static_cast<double>(client.moment() - begun) / 1000);
      remove();
    }
    taken.report(state);
  };
  benchmark::RegisterBenchmark(("discoverable/" + name).c_str(), body)->Iterations(calls);
}

void add_waits(const path& root) {
  const location where = below(root, "waited-for");
  const std::string file = where.port_file().string(), text = format_record(ours());
  const auto rename = [file, text] {
    const std::string made = file + ".made";
    std::ofstream(made) << text;
    const auto begun = bench::nanoseconds_now();
    must(::rename(made.c_str(), file.c_str()) == 0);
    return begun;
  };
  const auto unlink = [file] { must(::unlink(file.c_str()) == 0); };
  const auto bare = std::make_shared<bench::bare_publication>();
  const auto bare_publish = [bare, file, text] {
    const auto begun = bench::nanoseconds_now();
    bare->publish(file, text, false);
    return begun;
  };
  const auto bare_remove = [bare, file] { bare->remove(file); };
  const auto owned = std::make_shared<std::optional<claim>>();
  const auto publish = [owned, where] {
    const record server = ours();
    const auto begun = bench::nanoseconds_now();
    owned->emplace(where, server);
    return begun;
  };
  const auto remove = [owned] { owned->reset(); };
  add_wait("a bare rename, seen by inotify", 100, "inotify", 1, where, rename, unlink);
  add_wait("the bare calls of a publish, seen by inotify", 100, "inotify", 1, where, bare_publish,
           bare_remove);
  add_wait("publish, seen by wait_live", 100, "wait_live", 1, where, publish, remove);
  add_wait("publish, seen by polling each 10 ms", 40, "10", 10, where, publish, remove);
  add_wait("publish, seen by polling each 100 ms", 8, "100", 100, where, publish, remove);
}

// ---- starting ----------------------------------------------------------------------------------

/// On as many processors as there are, while it lasts.
struct on_all_processors {
  on_all_processors() { bench::pin_to(-1); }
  on_all_processors(const on_all_processors&) = delete;
  on_all_processors& operator=(const on_all_processors&) = delete;
  ~on_all_processors() { bench::pin_to(0); }
};

void request_health(const record& server) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  constexpr std::string_view request =
      "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  char answer[1024];
  must(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
       ::send(socket, request.data(), request.size(), 0) > 0 &&
       ::recv(socket, answer, sizeof answer, 0) > 12 &&
       std::string_view(answer).starts_with("HTTP/1.1 200"));
  ::close(socket);
}

task<std::int64_t> moment_of_answer(location where) {
  const auto live = co_await async::wait_live(where);
  must(live.has_value());
  request_health(*live);
  co_return bench::nanoseconds_now();
}

task<std::int64_t> moment_of_ensured(location where, bench::command_words command) {
  const auto live = co_await ensure(where, command);
  must(live.has_value());
  co_return bench::nanoseconds_now();
}

void end(const record& server, const location& where) {
  ask_to_end(server);
  must(run(async::wait_ended(server, deadline::after(std::chrono::seconds(20)))).has_value());
  must(!read_live(where));
}

void add_starts(const path& root, const std::string& berth, const std::string& server) {
  const location where = below(root, "started");
  const bench::command_words command{server, "--config-dir", where.directory.string(),
                                     "--log-level", "off"};
  const auto add_start = [&](const char* name, task<std::int64_t> (*moment)(location)) {
    bench::add_timed(fmt::format("start/process start to {}", name), 10, [=](auto& taken) {
      const on_all_processors all;
      const auto begun = bench::nanoseconds_now();
      const pid_t child = bench::spawn(command);
      taken.add(static_cast<double>(run(moment(where)) - begun) / 1000);
      ::kill(child, SIGTERM);
      must(bench::succeeds(child));
    });
  };
  add_start("published, in a waiting client", moment_of_live);
  add_start("first answered request", moment_of_answer);
  bench::add_timed("ensure/cold", 10, [=](auto& taken) {
    const on_all_processors all;
    const auto begun = bench::nanoseconds_now();
    taken.add(static_cast<double>(run(moment_of_ensured(where, command)) - begun) / 1000);
    end(*read_live(where), where);
  });
  const location running = below(root, "running");
  const bench::command_words run_it{server, "--config-dir", running.directory.string(),
                                    "--log-level", "off"};
  const auto kept = std::make_shared<bench::server_process>(run_it);
  must(run(async::wait_live(running)).has_value());
  bench::add("ensure/warm", 1000,
             [=, held = kept] { must(run(ensure(running, run_it)).has_value()); });
  bench::add_timed("ensure/cold, 64 processes at once", 2, [=](auto& taken) {
    const on_all_processors all;
    bench::command_words words{berth, "--config-dir", where.directory.string(), "ensure", "--"};
    words.insert(words.end(), command.begin(), command.end());
    std::vector<pid_t> callers;
    taken.time([&] {
      for (int i = 0; i < 64; ++i) callers.push_back(bench::spawn(words));
      for (const pid_t each : callers) must(bench::succeeds(each));
    });
    end(*read_live(where), where);
  });
}

// ---- many instances ----------------------------------------------------------------------------

/// Servers that lock nothing and have this process's pid: alive, at the price of asking for it.
void enter_instances(const path& runtime, const path& root, int count) {
  record plain = ours();
  plain.lock.clear();
  const std::string text = format_record(plain);
  ::setenv("XDG_RUNTIME_DIR", runtime.c_str(), 1);
  for (int i = 0; i < count; ++i) {
    const location where("many", root / std::to_string(i));
    std::filesystem::create_directory(where.directory);
    std::filesystem::permissions(where.directory, std::filesystem::perms(0700));
    std::ofstream(where.port_file()) << text;
    instance_list::enter(where);
  }
}

void add_lists(const path& root, const std::string& berth) {
  for (const int count : {1, 10, 100, 1000, 10000}) {
    const path runtime = root / fmt::format("runtime-{}", count),
               instances = root / fmt::format("instances-{}", count);
    for (const auto& each : {runtime, instances}) std::filesystem::create_directory(each);
    enter_instances(runtime, instances, count);
    bench::add(fmt::format("instances/berth list/{}", count), count < 10000 ? 10 : 2, [=] {
      ::setenv("XDG_RUNTIME_DIR", runtime.c_str(), 1);
      must(bench::succeeds(bench::spawn({berth, "--app", "many", "list"})));
    });
    const auto last = std::make_shared<claim>(
        location("many", instances / std::to_string(count / 2), "server-of-ours"), ours());
    bench::add(fmt::format("instances/read_live/{}", count), 4000,
               [=] { must(read_live(last->where()).has_value()); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "--wait")
    return wait_for_publications(argv[2], location("pm", argv[3]));
  if (argc < 6) return 2;
  const std::string berth = argv[1], server = argv[2], reader = argv[3], lookup = argv[4],
                    library = argv[5];
  bench::pin_to(0);
  const bench::scratch_directory root(bench::file_systems().front().below);
  ::setenv("XDG_RUNTIME_DIR", below(root.path(), "runtime").directory.c_str(), 1);
  const claim live(below(root.path(), "live"), ours());
  add_commands(berth, reader, live.where());
  add_python(lookup, library, live.where());
  add_waits(root.path());
  add_starts(root.path(), berth, server);
  add_lists(root.path(), berth);
  return bench::run(argc - 5, argv + 5);
}
