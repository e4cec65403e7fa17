// Running tasks on a loop, and calls from other threads.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <berth/coro/event.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>

#include "support/catch.hpp"
#include "support/streams.hpp"

using namespace berth;
using namespace std::chrono_literals;
using test::any_port;

TEST_CASE("a loop reports the handles that were left open") {
  event_loop loop;
  REQUIRE(loop.open_handles().empty());
  {
    tcp_listener listener(loop, any_port);
    REQUIRE(loop.open_handles() == std::vector<std::string>{"tcp"});
  }
  REQUIRE(loop.open_handles().empty());
}

TEST_CASE("a loop runs one task after the other, also such as end at once") {
  event_loop loop;
  const auto at_once = []() -> task<int> { co_return 1; };
  const auto later = []() -> task<int> {
    (void)co_await sleep_for(1ms);
    co_return 2;
  };
  for (int i = 0; i < 3; ++i) {
    REQUIRE(loop.run(at_once()) == 1);
    REQUIRE(loop.run(later()) == 2);
  }
}

TEST_CASE("calls submitted by other threads run on the loop's thread, all of them") {
  event_loop loop;
  int calls = 0;
  event all;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n)
        loop.submit([&] {
          if (++calls == 4000) all.set();
        });
    });
  const auto body = [](event& done) -> task<> { (void)co_await done.wait(); };
  loop.run(body(all));
  for (auto& thread : threads) thread.join();
  REQUIRE(calls == 4000);
}

TEST_CASE("a loop that is stopped from another thread cancels what it runs") {
  event_loop loop;
  std::thread stopper([&] { loop.stop(stop_reason::shutdown); });
  const auto body = []() -> task<stop_reason> {
    const auto slept = co_await sleep_for(1h);
    co_return slept.reason();
  };
  REQUIRE(loop.run(body()) == stop_reason::shutdown);
  stopper.join();
}
