// Misuse of tasks, loops, streams and child processes is an error.
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <berth/base/error.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/timeout.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>
#include <berth/io/udp.hpp>

#include "runtime/misuse.hpp"
#include "support/catch.hpp"
#include "support/streams.hpp"

using namespace berth;
using namespace runtime_test;
using namespace std::chrono_literals;

TEST_CASE("a task that was moved from cannot be awaited, nor given to anything") {
  const std::string message = "moved from";
  const auto moved_from = [] {
    task<int> gone = answer();
    const task<int> kept = std::move(gone);
    return gone;
  };
  const auto moved_void = [] {
    task<> gone = nothing();
    const task<> kept = std::move(gone);
    return gone;
  };
  CHECK_THAT(misuse([&](event_loop&) { return moved_from(); }), Catch::Contains(message));
  CHECK_THAT(misuse([&](event_loop&) { return when_all(answer(), moved_from()); }),
             Catch::Contains(message));
  CHECK_THAT(misuse([&](event_loop&) { return when_any(answer(), moved_from()); }),
             Catch::Contains(message));
  CHECK_THAT(misuse([&](event_loop&) { return timeout(1h, moved_from()); }),
             Catch::Contains(message));
  CHECK_THAT(misuse([&](event_loop& loop) {
               scope tasks(loop.context());
               tasks.spawn(moved_void());
               return nothing();
             }),
             Catch::Contains(message));
  CHECK_THROWS_AS(run(moved_from()), error);
}

TEST_CASE("a task is awaited once") {
  const auto body = []() -> task<> {
    task<int> once = answer();
    const int first = co_await std::move(once);
    REQUIRE(first == 42);
    bool thrown = false;
    try {
      const int again = co_await std::move(once);
      (void)again;
    } catch (const error&) {
      thrown = true;
    }
    REQUIRE(thrown);
  };
  run(body());
}

TEST_CASE("a loop that runs already cannot be run") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    REQUIRE_THROWS_AS(event_loop::of(here).run(nothing()), error);
  };
  run(body());
}

TEST_CASE("a stream that was closed or moved from throws whatever it is asked") {
  const auto body = [](bool closed) -> task<> {
    test::pair_of_streams both = co_await test::connect_pair();
    tcp_stream kept = std::move(both.server);
    if (closed) kept.close();
    tcp_stream& gone = closed ? kept : both.server;
    std::array<std::byte, 8> buffer;
    const auto read = [&](event_loop&) { return gone.read_some(buffer); };
    const auto write = [&](event_loop&) { return gone.write_all("text"); };
    const auto shutdown = [&](event_loop&) { return gone.shutdown(); };
    const auto from_read = co_await thrown_in_task(std::ref(read));
    CHECK_FALSE(from_read.empty());
    const auto from_write = co_await thrown_in_task(std::ref(write));
    CHECK_FALSE(from_write.empty());
    const auto from_shutdown = co_await thrown_in_task(std::ref(shutdown));
    CHECK_FALSE(from_shutdown.empty());
    CHECK_THROWS_AS(gone.local(), error);
    CHECK_THROWS_AS(gone.peer(), error);
    CHECK_THROWS_AS(gone.no_delay(true), error);
  };
  run(body(true));
  run(body(false));
}

TEST_CASE("a listener or a socket that was closed throws whatever it is asked") {
  CHECK_FALSE(misuse([](event_loop& loop) {
                tcp_listener gone(loop, test::any_port);
                gone.close();
                CHECK_THROWS_AS(gone.bound(), error);
                return gone.accept();
              }).empty());
  std::array<std::byte, 8> buffer;
  CHECK_FALSE(misuse([&buffer](event_loop& loop) {
                udp_socket gone(loop, test::any_port);
                gone.close();
                CHECK_THROWS_AS(gone.bound(), error);
                return gone.receive(buffer);
              }).empty());
}

TEST_CASE("an empty command starts no child") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    event_loop& loop = event_loop::of(here);
    CHECK_THROWS_AS(child_process(loop, {}), error);
    child_options nameless;
    nameless.environment = std::vector<std::string>{"PATH"};
    CHECK_THROWS_WITH(child_process(loop, {"true"}, nameless), Catch::Contains("NAME=VALUE"));
    CHECK_THROWS_AS(child_process(loop, {""}), error);
    co_return;
  };
  run(body());
}
