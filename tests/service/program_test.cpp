// The example programs as real processes: start, look-up, idling and end.
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <berth/client/async.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

#include <fmt/format.h>

#include "service/running_server.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace service_test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("row 16: a client finds the server by its file, from a directory below too") {
  running_server running;
  const auto below = running.directory.path() / "a" / "b";
  fs::create_directories(below);
  const auto listed = test::run({PM_CLI, "project", "list", "--pretty"}, below);
  REQUIRE(listed.status == 0);
  REQUIRE_THAT(listed.out, Catch::StartsWith("{\n  \"projects\": [\n    {\n      \"id\": 1,"));
  const auto url = url_of(*read_live(running.where));
  REQUIRE(test::run({PM_CLI, "--server", url, "project", "list"}, "/").status == 0);
  REQUIRE(running.server->err() == "pm-server listening on " + url + " (port file " +
                                       running.where.port_file().string() + ")\n");
}

TEST_CASE("row 17: SIGTERM and SIGINT end the server with status 0 and without its file") {
  for (const int signal : {SIGTERM, SIGINT}) {
    running_server running;
    running.server->signal(signal);
    REQUIRE(running.server->wait().status == 0);
    REQUIRE_FALSE(fs::exists(running.where.port_file()));
  }
}

TEST_CASE("row 18: without a server the client says where it looked and what to do, status 3") {
  test::temporary_directory directory;
  const auto none = test::run({PM_CLI, "project", "list"}, directory.path());
  REQUIRE(none.status == 3);
  REQUIRE(none.err == "No running pm-server found (checked " +
                          (fs::canonical(directory.path()) / ".pm/server.json").string() +
                          "). Start one with pm-server, or use --server URL.\n");
}

TEST_CASE("a second server in the directory is refused with status 4, naming the first") {
  running_server running;
  const auto first = read_live(running.where);
  const auto message = fmt::format("Another pm-server is already running on port {} (PID {}).",
                                   first->port, first->pid);
  const auto second = test::run({PM_SERVER}, running.directory.path());
  REQUIRE(second.status == 4);
  REQUIRE_THAT(second.err, Catch::Contains(message));
  const auto same_port =
      test::run({PM_SERVER, "--port", std::to_string(first->port)}, running.directory.path());
  REQUIRE(same_port.status == 4);
  REQUIRE_THAT(same_port.err, Catch::Contains(message));
  REQUIRE(read_live(running.where)->pid == first->pid);
}

TEST_CASE("a server without a word is replaced by the next one") {
  running_server running;
  running.server->signal(SIGKILL);
  running.server->wait();
  REQUIRE(fs::exists(running.where.port_file()));
  test::process next({PM_SERVER}, running.directory.path());
  REQUIRE(test::eventually([&] {
    const auto live = read_live(running.where);
    return live && live->pid == static_cast<std::uint32_t>(next.pid());
  }));
}

TEST_CASE("a port file that is deleted under a live server comes back") {
  running_server running;
  const auto before = read_live(running.where);
  fs::remove(running.where.port_file());
  REQUIRE(test::eventually([&] { return read_live(running.where) == before; }));
  fs::remove_all(running.where.directory);
  REQUIRE(test::eventually([&] { return read_live(running.where) == before; }));
}

TEST_CASE("an idle service uses no processor time") {
  running_server running;
  REQUIRE(test::run({PM_CLI, "project", "list"}, running.directory.path()).status == 0);
  const auto before = running.server->processor_time();
  const auto until = std::chrono::steady_clock::now() + 3s;
  REQUIRE(test::eventually([&] { return std::chrono::steady_clock::now() > until; }));
  REQUIRE(running.server->processor_time() - before <= 10ms);
}

TEST_CASE("a service stops after idle_shutdown_secs without a connection") {
  const std::map<std::string, std::string> soon{{"PM_SERVER_IDLE_SHUTDOWN_SECS", "1"}};
  running_server running(soon);
  REQUIRE(running.server->wait().status == 0);
  REQUIRE_FALSE(fs::exists(running.where.port_file()));
}

TEST_CASE("what is wrong with configuration or arguments is said, and nothing is published") {
  test::temporary_directory directory;
  const auto start = [&](std::vector<std::string> arguments,
                         std::map<std::string, std::string> environment = {}) {
    arguments.insert(arguments.begin(), PM_SERVER);
    return test::run(arguments, directory.path(), environment);
  };
  auto refused = start({}, {{"PM_SERVER_PORT", "500"}});
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err, Catch::Contains("server.port must be 0 (auto) or >= 1024, got 500"));
  refused = start({"--port", "500"});
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err, Catch::Contains("server.port must be 0 (auto) or >= 1024, got 500"));
  REQUIRE(start({"--port", "x"}).status == 2);
  REQUIRE(start({"--nonsense"}).status == 2);
  REQUIRE(start({}, {{"PM_LOG", "loud"}}).status == 1);
  refused = start({"--host", "no such host"});
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err, Catch::Contains("no such host"));
  REQUIRE(start({"--help"}).status == 0);
  REQUIRE(start({"--version"}).out == "pm-server 1.0.0\n");
  REQUIRE_FALSE(fs::exists(directory.path() / ".pm" / "server.json"));
}

TEST_CASE("a hundred services started at once are all found") {
  test::temporary_directory directory;
  std::vector<std::unique_ptr<test::process>> services, waits;
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) {
    const auto at = directory.path() / std::to_string(i);
    waits.push_back(std::make_unique<test::process>(
        std::vector<std::string>{BERTH_COMMAND, "--config-dir", at, "wait", "--timeout", "60"}));
    services.push_back(
        std::make_unique<test::process>(std::vector<std::string>{PM_SERVER, "--config-dir", at}));
  }
  for (const auto& each : waits) REQUIRE(each->wait().status == 0);
  const auto took = std::chrono::steady_clock::now() - started;
  WARN("found all 100 after " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count()
                              << " ms");
  for (const auto& each : services) each->signal(SIGTERM);
  for (const auto& each : services) REQUIRE(each->wait().status == 0);
}

TEST_CASE("the echo example sends back what it receives; the periodic one counts") {
  test::temporary_directory directory;
  test::process echo({ECHO_SERVER}, directory.path()),
      periodic({PERIODIC_SERVER}, directory.path());
  const auto body = [](fs::path at) -> task<> {
    auto echo_found = co_await async::wait_live(location("echo", at / ".echo"));
    const endpoint echo_at("127.0.0.1", echo_found->port);
    auto connected = co_await tcp_connect(echo_at);
    const auto sent = co_await connected->write_all("ahoy");
    REQUIRE(sent);
    const auto ended = co_await connected->shutdown();
    REQUIRE(ended);
    const auto back = co_await read_to_end(*connected);
    REQUIRE(back == "ahoy");
    auto count_found = co_await async::wait_live(location("periodic", at / ".periodic"));
    const endpoint periodic_at("127.0.0.1", count_found->port);
    const auto count = co_await ask(periodic_at, "");
    REQUIRE_THAT(count, Catch::EndsWith(" s\n"));
  };
  run(body(directory.path()));
  for (auto* each : {&echo, &periodic}) {
    each->signal(SIGTERM);
    REQUIRE(each->wait().status == 0);
  }
}

TEST_CASE("the guide runs, and the find example finds what there is") {
  test::temporary_directory directory;
  const auto guided = test::run({GUIDE, directory.path().string()});
  REQUIRE(guided.err == "");
  REQUIRE(guided.status == 0);
  REQUIRE(test::run({FIND}, directory.path()).out == "there is none\n");
  const location where("echo", directory.path() / ".echo");
  const claim owned(where, describe_this_process("127.0.0.1", 8080, "1"));
  REQUIRE(test::run({FIND}, directory.path()).out == "http://127.0.0.1:8080\n");
}
