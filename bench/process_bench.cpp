// Measures discovery across processes: the command line, how soon a waiting client holds a new
// server's record, starting a server, ensure, and the list of many instances.
// usage: process-bench BERTH PM_SERVER READER LOOKUP C_LIBRARY [options of Google Benchmark]
#include <arpa/inet.h>
#include <sys/socket.h>

#include <fstream>

#include <berth/client/async.hpp>
#include <berth/client/ensure.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/discovery/server_process.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/record/record_codec.hpp>

#include <fmt/format.h>

#include "child.hpp"
#include "harness.hpp"
#include "waits.hpp"

namespace {

using namespace berth;
using bench::must;
using bench::fs::path;

using bench::below;
using bench::moment_of_live;
using bench::ours;

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

// ---- starting ----------------------------------------------------------------------------------

/// Lets this process run on all processors while it exists.
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
      "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
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
  ask_to_end(server, where);
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

/// Enters servers that lock nothing and have this process's pid: they are alive, but each look-up
/// has to examine the process.
void enter_instances(const path& runtime, const path& root, int count) {
  record plain = ours();
  plain.lock.clear();
  const std::string text = format_record(plain);
  ::setenv("BERTH_LIST_DIR", runtime.c_str(), 1);
  for (int i = 0; i < count; ++i) {
    const location where("many", root / std::to_string(i));
    std::filesystem::create_directory(where.directory);
    std::filesystem::permissions(where.directory, std::filesystem::perms(0700));
    std::ofstream(where.port_file()) << text;
    must(instance_list::held_entry(where).hold());
  }
}

void add_lists(const path& root, const std::string& berth) {
  for (const int count : {1, 10, 100, 1000, 10000}) {
    const path runtime = root / fmt::format("runtime-{}", count),
               instances = root / fmt::format("instances-{}", count);
    for (const auto& each : {runtime, instances}) std::filesystem::create_directory(each);
    enter_instances(runtime, instances, count);
    bench::add(fmt::format("instances/berth list/{}", count), count < 10000 ? 10 : 2, [=] {
      ::setenv("BERTH_LIST_DIR", runtime.c_str(), 1);
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
    return bench::wait_for_publications(argv[2], location("pm", argv[3]));
  if (argc < 6) return 2;
  const std::string berth = argv[1], server = argv[2], reader = argv[3], lookup = argv[4],
                    library = argv[5];
  bench::pin_to(0);
  const bench::scratch_directory root(bench::file_systems().front().below);
  ::setenv("BERTH_LIST_DIR", below(root.path(), "runtime").directory.c_str(), 1);
  const claim live(below(root.path(), "live"), ours());
  add_commands(berth, reader, live.where());
  add_python(lookup, library, live.where());
  bench::add_waits(root.path());
  add_starts(root.path(), berth, server);
  add_lists(root.path(), berth);
  return bench::run(argc - 5, argv + 5);
}
