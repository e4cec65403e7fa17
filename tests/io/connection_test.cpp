// Listening, connecting, reading and writing over TCP.
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <system_error>
#include <tuple>
#include <vector>

#include <berth/coro/deadline.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>

#include "support/catch.hpp"
#include "support/streams.hpp"

using namespace berth;
using namespace std::chrono_literals;
using test::any_port;
using test::connect_pair;

namespace {

task<std::string> read_to_end(stream& from) {
  std::string all;
  std::array<std::byte, 10'000> buffer;
  for (;;) {
    const auto size = co_await from.read_some(buffer);
    if (!size || *size == 0) co_return all;
    all.append(reinterpret_cast<const char*>(buffer.data()), *size);
  }
}

task<> write_and_end(stream& to, std::string text) {
  const auto written = co_await to.write_all(text);
  REQUIRE(written);
  const auto ended = co_await to.shutdown();
  REQUIRE(ended);
}

}  // namespace

TEST_CASE("a listener on port 0 tells the port it was given, on IPv4 and IPv6") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    tcp_listener four(event_loop::of(here), {"127.0.0.1", 0});
    tcp_listener six(event_loop::of(here), {"::1", 0});
    REQUIRE(four.bound().port != 0);
    REQUIRE(to_string(six.bound()) == "[::1]:" + std::to_string(six.bound().port));
    auto both = co_await when_all(six.accept(), tcp_connect(six.bound()));
    REQUIRE(std::get<0>(both));
    REQUIRE(std::get<1>(both)->peer() == six.bound());
  };
  run(body());
}

TEST_CASE("a port that is taken is an error that names it") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    tcp_listener first(event_loop::of(here), any_port);
    REQUIRE_THROWS_WITH(tcp_listener(event_loop::of(here), first.bound()),
                        Catch::Contains(to_string(first.bound())) &&
                            Catch::Contains("port 0 lets the system pick"));
  };
  run(body());
}

TEST_CASE("megabytes arrive as they were sent, though the reader is slow") {
  const auto body = []() -> task<> {
    auto streams = co_await connect_pair();
    std::string sent;
    for (int i = 0; sent.size() < 20'000'000; ++i) sent += std::to_string(i);
    auto both = co_await when_all(write_and_end(streams.client, sent), read_to_end(streams.server));
    REQUIRE(std::get<1>(both) == sent);
  };
  run(body());
}

TEST_CASE("a peer that does not read makes a write wait, and its deadline end it") {
  const auto body = []() -> task<> {
    auto streams = co_await connect_pair();
    // Something has to switch the peer's reading on, so that its high-water mark counts.
    std::array<std::byte, 1> one;
    const std::string large(64u << 20, 'x');
    auto both = co_await when_all(streams.client.write_all(large, deadline::after(200ms)),
                                  streams.server.read_some(one));
    REQUIRE(std::get<0>(both).timed_out());
    REQUIRE(*std::get<1>(both) == 1);
  };
  run(body());
}

TEST_CASE("a cancelled read loses nothing") {
  const auto body = []() -> task<> {
    auto streams = co_await connect_pair();
    std::array<std::byte, 100> buffer;
    const auto early = co_await streams.server.read_some(buffer, deadline::after(1ms));
    REQUIRE(early.timed_out());
    const auto written = co_await streams.client.write_all("hello");
    REQUIRE(written);
    const auto late = co_await streams.server.read_some(buffer);
    REQUIRE(*late == 5);
  };
  run(body());
}

TEST_CASE("a second read beside the first is refused") {
  const auto body = []() -> task<> {
    auto streams = co_await connect_pair();
    std::array<std::byte, 1> one, two;
    auto both = co_await when_any(streams.server.read_some(one), streams.server.read_some(two));
    REQUIRE(both.index() == 1);
    REQUIRE(std::get<1>(both).error() != std::error_code());
  };
  run(body());
}

TEST_CASE("a connection that ends is a read of nothing") {
  const auto body = []() -> task<> {
    auto streams = co_await connect_pair();
    std::array<std::byte, 16> buffer;
    streams.client.close();
    const auto ended = co_await streams.server.read_some(buffer);
    REQUIRE(ended);
    REQUIRE(*ended == 0);
  };
  run(body());
}

TEST_CASE("closing a stream ends the wait on it") {
  const auto body = []() -> task<> {
    auto streams = co_await connect_pair();
    std::array<std::byte, 16> buffer;
    const auto close_soon = [](tcp_stream& closed) -> task<> {
      (void)co_await sleep_for(1ms);
      closed.close();
    };
    auto both = co_await when_all(streams.server.read_some(buffer), close_soon(streams.server));
    REQUIRE(std::get<0>(both).error() == std::errc::operation_canceled);
  };
  run(body());
}

TEST_CASE("a connect to a port without listener is refused; a cancelled one leaves nothing") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    endpoint gone;
    {
      tcp_listener listener(event_loop::of(here), any_port);
      gone = listener.bound();
    }
    const auto refused = co_await tcp_connect(gone);
    REQUIRE(refused.error() == std::errc::connection_refused);
    const auto late = co_await tcp_connect(gone, deadline::at(steady_time::min()));
    REQUIRE(late.timed_out());
  };
  run(body());
}

TEST_CASE("what nobody accepts waits in the backlog") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    tcp_listener listener(event_loop::of(here), any_port);
    std::vector<tcp_stream> clients;
    for (int i = 0; i < 20; ++i) {
      auto connected = co_await tcp_connect(listener.bound());
      clients.push_back(std::move(connected).value("connect"));
    }
    const auto timed = co_await listener.accept(deadline::at(steady_time::min()));
    (void)timed;
    for (int i = 0; i < 19; ++i) {
      const auto accepted = co_await listener.accept();
      REQUIRE(accepted);
    }
  };
  run(body());
}
