// Services as real processes: the example pair, and what the framework promises around it.
#include <signal.h>

#include <fmt/format.h>
#include <array>
#include <berth/client/async.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/offload.hpp>
#include <berth/io/tcp.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/service/service.hpp>
#include <thread>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// pm-server in a fresh directory, published.
struct running_server {
  explicit running_server(const std::map<std::string, std::string>& environment = {}) {
    server.emplace(std::vector<std::string>{PM_SERVER}, directory.path(), environment);
    REQUIRE(test::eventually([this] { return read_live(where).has_value(); }));
  }
  endpoint at() const { return {"127.0.0.1", read_live(where)->port}; }

  test::temporary_directory directory;
  location where{"pm", directory.path() / ".pm"};
  std::optional<test::process> server;
};

task<std::string> read_to_end(tcp_stream& from) {
  std::string all;
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto size = co_await from.read_some(buffer, deadline::after(10s));
    if (!size || *size == 0) co_return all;
    all.append(reinterpret_cast<const char*>(buffer.data()), *size);
  }
}

/// Sends `text` as it stands and gives all of the answer.
task<std::string> ask(endpoint to, std::string text) {
  auto connected = co_await tcp_connect(to);
  if (!connected) co_return "not connected: " + connected.error().message();
  const auto sent = co_await connected->write_all(text);
  if (!sent) co_return "not sent";
  co_return co_await read_to_end(*connected);
}

std::string get(std::string path, std::string headers = "Connection: close\r\n") {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

}  // namespace

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

TEST_CASE("a request in flight at SIGTERM is answered, the file gone before the listener closes") {
  running_server running;
  const auto body = [](running_server& server) -> task<> {
    const endpoint at = server.at();
    auto connected = co_await tcp_connect(at);
    tcp_stream client = std::move(connected).value("connect");
    const std::string request = get("/health");
    const auto begun = co_await client.write_all(std::string_view(request).substr(0, 10));
    REQUIRE(begun);
    // The server has begun to serve it: a request on a later connection was answered.
    const auto other = co_await ask(at, get("/health"));
    REQUIRE_THAT(other, Catch::Contains("200 OK"));
    server.server->signal(SIGTERM);
    const auto unpublished = co_await async::wait_gone(server.where, deadline::after(10s));
    REQUIRE(unpublished);
    // Unpublished, and yet who comes now is served.
    const auto late = co_await ask(at, get("/health"));
    REQUIRE_THAT(late, Catch::Contains("200 OK"));
    const auto sent = co_await client.write_all(std::string_view(request).substr(10));
    REQUIRE(sent);
    const auto answer = co_await read_to_end(client);
    REQUIRE_THAT(answer, Catch::Contains("200 OK") && Catch::EndsWith(R"({"status":"ok"})"));
  };
  run(body(running));
  REQUIRE(running.server->wait().status == 0);
}

TEST_CASE("a service that is stopped cancels what does not end, and is gone in time") {
  test::temporary_directory directory;
  stop_reason told = stop_reason::none;
  service holding("hold", "1");
  drain_times times;
  times.quiet = 1ms;
  times.soft = 50ms;
  holding.set_drain_times(times);
  holding.on_connection([&](tcp_stream client) -> task<> {
    (void)client;
    const auto hold = [](tcp_stream held, stop_reason& why) -> task<> {
      std::array<std::byte, 8> buffer;
      const auto received = co_await held.read_some(buffer);
      why = received.reason();
    };
    return hold(std::move(client), told);
  });
  const auto body = [](service& served, fs::path at) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    service::overrides given;
    given.config_dir = at;
    given.catch_signals = false;
    tasks.spawn(served.serve(given));
    auto found = co_await async::wait_live(location("hold", at));
    const endpoint to("127.0.0.1", found->port);
    auto client = co_await tcp_connect(to);
    REQUIRE(client);
    served.stop();
    co_await tasks.join();
  };
  run(body(holding, directory.path()));
  REQUIRE(told == stop_reason::shutdown);
  REQUIRE(test::files_in(directory.path()) == 1);
}

TEST_CASE("what exceeds max_connections waits and is served in its turn") {
  const std::map<std::string, std::string> one{{"PM_SERVER_MAX_CONNECTIONS", "1"}};
  running_server running(one);
  const auto body = [](endpoint at) -> task<> {
    auto connected = co_await tcp_connect(at);
    tcp_stream holder = std::move(connected).value("connect");
    const std::string request = get("/health", "");
    const auto sent = co_await holder.write_all(request);
    REQUIRE(sent);
    std::array<std::byte, 4096> buffer;
    const auto answered = co_await holder.read_some(buffer);
    REQUIRE(*answered > 0);

    auto second = co_await tcp_connect(at);
    tcp_stream waiting = std::move(second).value("connect");
    const std::string closing = get("/health");
    const auto asked = co_await waiting.write_all(closing);
    REQUIRE(asked);
    const auto early = co_await waiting.read_some(buffer, deadline::after(100ms));
    REQUIRE(early.timed_out());
    holder.close();
    const auto answer = co_await read_to_end(waiting);
    REQUIRE_THAT(answer, Catch::Contains("200 OK"));
  };
  run(body(running.at()));
}

TEST_CASE("who waits in the backlog when the service is stopped is served before it ends") {
  const std::map<std::string, std::string> one{{"PM_SERVER_MAX_CONNECTIONS", "1"}};
  running_server running(one);
  const auto body = [](running_server& server) -> task<> {
    const endpoint at = server.at();
    const std::string request = get("/health");
    auto connected = co_await tcp_connect(at);
    tcp_stream holder = std::move(connected).value("connect");
    const auto begun = co_await holder.write_all(std::string_view(request).substr(0, 10));
    REQUIRE(begun);
    auto second = co_await tcp_connect(at);
    tcp_stream waiting = std::move(second).value("connect");
    const auto asked = co_await waiting.write_all(request);
    REQUIRE(asked);
    server.server->signal(SIGTERM);
    const auto unpublished = co_await async::wait_gone(server.where, deadline::after(10s));
    REQUIRE(unpublished);
    // Longer than the service listens for somebody new.
    std::array<std::byte, 1> nothing;
    const auto early = co_await waiting.read_some(nothing, deadline::after(400ms));
    REQUIRE(early.timed_out());
    const auto sent = co_await holder.write_all(std::string_view(request).substr(10));
    REQUIRE(sent);
    const auto first_answer = co_await read_to_end(holder);
    REQUIRE_THAT(first_answer, Catch::Contains("200 OK"));
    const auto second_answer = co_await read_to_end(waiting);
    REQUIRE_THAT(second_answer, Catch::Contains("200 OK"));
  };
  run(body(running));
  REQUIRE(running.server->wait().status == 0);
}

TEST_CASE("connections without a request do not hold up a stop") {
  running_server running;
  const auto body = [](running_server& server) -> task<> {
    auto connected = co_await tcp_connect(server.at());
    REQUIRE(connected);
    server.server->signal(SIGTERM);
    const auto ended = co_await read_to_end(*connected);
    REQUIRE(ended.empty());
  };
  run(body(running));
  const auto ended = running.server->wait();
  REQUIRE(ended.status == 0);
  REQUIRE_THAT(ended.err, !Catch::Contains("cancelling"));  // as at the soft deadline
}

TEST_CASE("HTTP: what is wrong with a request is said in its status, as JSON") {
  running_server running;
  const auto body = [](endpoint at) -> task<> {
    const std::tuple<std::string, std::string> cases[] = {
        {get("/health"), "200 OK"},
        {get("/health?x=1"), "200 OK"},
        {get("/api/v1/projects"), "200 OK"},
        {get("/nothing"), "404 Not Found"},
        {"DELETE /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
         "405 Method Not Allowed"},
        {"PUT /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
         "0\r\n\r\n",
         "405 Method Not Allowed"},
        {"nonsense\r\n\r\n", "400 Bad Request"},
        {"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "400 Bad Request"},
        {"POST /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nConnection: "
         "close\r\nContent-Length: 3\r\n\r\n{x}",
         "400 Bad Request"},
        {"POST /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nConnection: "
         "close\r\nContent-Length: "
         "15\r\n\r\n{\"name\":\"Quay\"}",
         "201 Created"},
        {"POST /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n",
         "413 "},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" +
             std::string(65536, 'x') + "\r\n10\r\n" + std::string(16, 'x') + "\r\n",
         "413 "},
        {"GET / HTTP/1.1\r\nX: " + std::string(200'000, 'x') + "\r\n\r\n", "413 "},
    };
    for (const auto& [request, status] : cases) {
      const auto answer = co_await ask(at, request);
      INFO(request.substr(0, 60));
      REQUIRE_THAT(answer, Catch::StartsWith("HTTP/1.1 " + status));
      REQUIRE_THAT(answer, Catch::Contains("\r\nContent-Type: application/json\r\n"));
    }
  };
  run(body(running.at()));
}

TEST_CASE("HTTP: a connection serves one request after the other, pipelined ones too") {
  running_server running;
  const auto body = [](endpoint at) -> task<> {
    const std::string three = get("/health", "") + get("/nothing", "") + get("/health");
    const auto answer = co_await ask(at, three);
    REQUIRE(answer.find("200 OK") != answer.rfind("200 OK"));
    REQUIRE_THAT(answer, Catch::Contains("404 Not Found"));
  };
  run(body(running.at()));
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

TEST_CASE("hooks are called in order, awaited, and may add to what is published") {
  test::temporary_directory directory;
  std::vector<std::string> order;
  service told("told", "1");
  drain_times times;
  times.quiet = 1ms;
  told.set_drain_times(times);
  const auto note = [](std::vector<std::string>& into, std::string name) -> task<> {
    (void)co_await sleep_for(1ms);
    into.push_back(std::move(name));
  };
  auto& hooks = told.hooks();
  hooks.configured.add(
      "a", [&](server_settings&, const location&) { return note(order, "configured"); });
  hooks.bound.add("a", [&](const endpoint&) { return note(order, "bound"); });
  hooks.publishing.add("late", [&](record&) { return note(order, "publishing late"); });
  hooks.publishing.add(
      "early",
      [&](record& made) {
        made.metadata["role"] = "test";
        return note(order, "publishing early");
      },
      10);
  const auto removed =
      hooks.publishing.add("removed", [&](record&) { return note(order, "never"); });
  hooks.publishing.remove(removed);
  hooks.published.add("a", [&](const record&) { return note(order, "published"); });
  hooks.ready.add("throws", []() -> task<> {
    throw std::runtime_error("not stopping");
    co_return;
  });
  hooks.ready.add("a", [&] { return note(order, "ready"); });
  hooks.draining.add("a", [&](stop_reason) { return note(order, "draining"); });
  hooks.unpublished.add("a", [&] { return note(order, "unpublished"); });
  hooks.stopped.add("a", [&] { return note(order, "stopped"); });
  const auto body = [](service& served, fs::path at) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    service::overrides given;
    given.config_dir = at;
    tasks.spawn(served.serve(given));
    auto found = co_await async::wait_live(location("told", at));
    REQUIRE(found->metadata.at("role") == "test");
    served.stop();
    co_await tasks.join();
  };
  run(body(told, directory.path()));
  const std::vector<std::string> expected{"configured",      "bound",       "publishing early",
                                          "publishing late", "published",   "ready",
                                          "draining",        "unpublished", "stopped"};
  REQUIRE(order == expected);
}

TEST_CASE(
    "a hook that takes too long is cancelled and named; before publishing it stops the start") {
  test::temporary_directory directory;
  service slow("slow", "1");
  bool cancelled = false;
  slow.hooks().bound.add(
      "sleeper",
      [&](const endpoint&) -> task<> {
        const auto slept = co_await sleep_for(1h);
        cancelled = !slept;
      },
      0, 20ms);
  service::overrides given;
  given.config_dir = directory.path();
  REQUIRE_THROWS_WITH(
      run(slow.serve(given)),
      "hook \"sleeper\" at \"bound\" failed: it took longer than 20 ms, and was cancelled");
  REQUIRE(cancelled);
}

TEST_CASE("a service judges who was there before by the strategy that it is given") {
  test::temporary_directory directory;
  const location where("judge", directory.path());
  record other = describe_this_process("127.0.0.1", 1, "1");
  other.lock.clear();
  test::write_text(where.port_file(), format_record(other));
  service::overrides given;
  given.config_dir = directory.path();
  service refused("judge", "1");
  REQUIRE_THROWS_AS(run(refused.serve(given)), already_running);
  // Nothing listens there: by its port, that server is dead.
  const connect_liveness by_port;
  service judging("judge", "1");
  judging.set_liveness(by_port);
  drain_times times;
  times.quiet = 1ms;
  judging.set_drain_times(times);
  judging.hooks().ready.add("stop", [&]() -> task<> {
    judging.stop();
    co_return;
  });
  REQUIRE_NOTHROW(run(judging.serve(given)));
}

TEST_CASE("a hook that throws before publishing stops the start, and is named") {
  test::temporary_directory directory;
  service refusing("refuse", "1");
  refusing.hooks().publishing.add("gatekeeper", [](record&) -> task<> {
    throw std::runtime_error("not today");
    co_return;
  });
  service::overrides given;
  given.config_dir = directory.path();
  REQUIRE_THROWS_WITH(run(refusing.serve(given)),
                      "hook \"gatekeeper\" at \"publishing\" failed: not today");
  REQUIRE_FALSE(fs::exists(directory.path() / "server.json"));
}

TEST_CASE("a handler that throws ends its connection and not the service") {
  test::temporary_directory directory;
  service throwing("throw", "1");
  throwing.on_connection([](tcp_stream) -> task<> {
    throw std::runtime_error("handler");
    co_return;
  });
  const auto body = [](service& served, fs::path at) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    service::overrides given;
    given.config_dir = at;
    tasks.spawn(served.serve(given));
    auto found = co_await async::wait_live(location("throw", at));
    const endpoint to("127.0.0.1", found->port);
    for (int i = 0; i < 3; ++i) {
      const auto answer = co_await ask(to, "");
      REQUIRE(answer.empty());
    }
    served.stop();
    co_await tasks.join();
  };
  run(body(throwing, directory.path()));
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

TEST_CASE("a service that requires a token serves only who brings it") {
  test::temporary_directory directory;
  test::process server({PM_SERVER, "--require-token"}, directory.path());
  const location where("pm", directory.path() / ".pm");
  REQUIRE(test::eventually([&] { return read_live(where).has_value(); }));
  const auto found = *read_live(where);
  REQUIRE(found.token.size() == 64);
  const auto body = [](endpoint at, std::string token) -> task<> {
    const auto status_of = [](endpoint to, std::string text) -> task<std::string> {
      const auto answer = co_await ask(to, std::move(text));
      co_return answer.substr(9, 3);
    };
    const std::string close = "Connection: close\r\n";
    std::vector<std::tuple<std::string, std::string>> cases = {
        {get("/health"), "401"},
        {get("/health?token=wrong"), "401"},
        {get("/health", close + "Authorization: Bearer " + token.substr(1) + "\r\n"), "401"},
        {get("/health", close + "authorization: Bearer " + token + "\r\n"), "200"},
        {get("/health?a=b&token=" + token + "&c=d"), "200"},
    };
    for (auto& [request, expected] : cases) {
      INFO(request);
      const auto status = co_await status_of(at, request);
      REQUIRE(status == expected);
    }
  };
  run(body({"127.0.0.1", found.port}, found.token));
  REQUIRE(test::run({PM_CLI, "project", "list"}, directory.path()).status == 0);
  const auto url = test::run({BERTH_COMMAND, "url", "--with-token"}, directory.path());
  REQUIRE(url.out == url_of(found) + "/?token=" + found.token + "\n");
}

TEST_CASE(
    "a service with several listeners publishes them as named endpoints, and drains them all") {
  test::temporary_directory directory;
  service several("several", "1");
  const auto say = [](std::string word) {
    return [word](tcp_stream client) -> task<> {
      const auto send = [](tcp_stream to, std::string text) -> task<> {
        const auto sent = co_await to.write_all(text);
        (void)sent;
      };
      return send(std::move(client), word);
    };
  };
  several.on_connection(say("main"));
  several.listen("admin", say("admin"));
  several.listen("metrics", say("metrics"), "tcp");
  REQUIRE_THROWS_AS(several.listen("a b", say("")), invalid_value);
  const auto body = [](service& served, fs::path at) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    service::overrides given;
    given.config_dir = at;
    given.instance = "second";
    given.catch_signals = false;
    tasks.spawn(served.serve(given));
    auto found = co_await async::wait_live(location("several", at, "second"));
    REQUIRE(found->endpoints.size() == 2);
    REQUIRE(found->endpoints.at("metrics").scheme == "tcp");
    for (const auto& [name, port] :
         std::map<std::string, std::uint16_t>{{"main", found->port},
                                              {"admin", found->endpoints.at("admin").port},
                                              {"metrics", found->endpoints.at("metrics").port}}) {
      const endpoint to("127.0.0.1", port);
      const auto answer = co_await ask(to, "");
      REQUIRE(answer == name);
    }
    auto url_of_admin = [at] {
      return test::run({BERTH_COMMAND, "--app", "several", "--config-dir", at.string(),
                        "--instance", "second", "url", "--endpoint", "admin"});
    };
    const auto url = co_await offload(std::move(url_of_admin));
    REQUIRE(url->out == fmt::format("http://127.0.0.1:{}\n", found->endpoints.at("admin").port));
    served.stop();
    co_await tasks.join();
  };
  run(body(several, directory.path()));
  run(body(several, directory.path()));  // again, on other ports
}
