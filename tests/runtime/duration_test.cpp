// Endless durations, and deadlines in the distant past.
#include <chrono>

#include <berth/coro/deadline.hpp>
#include <berth/coro/semaphore.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/timeout.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/io/event_loop.hpp>

#include "runtime/misuse.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace runtime_test;
using namespace std::chrono_literals;

TEMPLATE_TEST_CASE("the longest duration of any unit means never", "", std::chrono::nanoseconds,
                   std::chrono::milliseconds, std::chrono::seconds, std::chrono::hours,
                   std::chrono::years, std::chrono::duration<double>) {
  const auto body = [](TestType longest) -> task<> {
    REQUIRE(deadline::after(longest).is_never());
    const auto slept = co_await when_any(sleep_for(longest), sleep_for(1ms));
    REQUIRE(slept.index() == 1);
    const auto in_time = co_await timeout(longest, answer());
    REQUIRE(in_time);
    semaphore permits(0);
    const auto waited =
        co_await when_any(permits.acquire(deadline::after(longest)), sleep_for(1ms));
    REQUIRE(waited.index() == 1);
  };
  run(body(TestType::max()));
}

TEST_CASE("centuries do not end at once, and what is before all time has passed") {
  const auto body = []() -> task<> {
    for (const int years : {100, 200, 292, 293, 1000}) {
      INFO(years);
      const std::chrono::years long_time(years);
      const auto slept = co_await when_any(sleep_for(long_time), sleep_for(1ms));
      REQUIRE(slept.index() == 1);
      const auto in_time = co_await timeout(long_time, sleep_for(1ms));
      REQUIRE(in_time);
    }
    const auto slept = co_await sleep_for(std::chrono::hours::min());
    REQUIRE(slept);
    const auto late = co_await timeout(std::chrono::milliseconds::min(), sleep_for(1h));
    REQUIRE(late.timed_out());
  };
  run(body());
}
