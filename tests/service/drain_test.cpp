// What happens to requests and connections when a service stops or is full.
#include <signal.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include <berth/client/async.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/scope.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>
#include <berth/service/service.hpp>

#include "service/running_server.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace service_test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

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
