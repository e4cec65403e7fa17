// Timers and deadlines.
#include <chrono>
#include <random>
#include <vector>

#include <berth/coro/deadline.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/sync_wait.hpp>
#include <berth/coro/when_all.hpp>

#include "coro/driven.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace coro_test;
using namespace std::chrono_literals;

TEST_CASE("timers fire in the order of their times, and of their arming where these are equal") {
  std::vector<int> order;
  const auto body = [](std::vector<int>& into) -> task<> {
    co_await when_all(note_after(30ms, 3, into), note_after(10ms, 1, into),
                      note_after(20ms, 2, into), note_after(30ms, 4, into));
  };
  driven<void> run(body(order));
  run.loop.advance(9ms);
  REQUIRE(order.empty());
  run.loop.advance(1ms);
  REQUIRE(order == std::vector<int>{1});
  run.loop.advance(1h);
  REQUIRE(order == std::vector<int>{1, 2, 3, 4});
  REQUIRE(run.root.ended());
}

TEST_CASE("a timer queue keeps its order under arming and disarming at random") {
  struct noting final : timer_item {
    void expired() noexcept override {}
  };
  std::mt19937 random(1);
  timer_queue queue;
  std::vector<noting> timers(500);
  const steady_time start{};
  for (int round = 0; round < 5000; ++round) {
    auto& timer = timers[random() % timers.size()];
    if (random() % 3 == 0)
      queue.disarm(timer);
    else
      queue.arm(timer, start + std::chrono::milliseconds(random() % 1000));
  }
  steady_time last = start;
  while (const auto due = queue.next_due()) {
    REQUIRE(*due >= last);
    last = *due;
    REQUIRE(queue.take_due(last) != nullptr);
  }
  for (const auto& timer : timers) REQUIRE_FALSE(timer.armed());
}

TEST_CASE("a deadline saturates and a passed one ends a wait at once") {
  REQUIRE(deadline::after(std::chrono::nanoseconds::max()).is_never());
  REQUIRE(deadline::after(steady_time{}, -1s).passed(steady_time{}));
  event never;
  const auto body = [](event& awaited) -> task<bool> {
    const auto waited = co_await awaited.wait(deadline::at(steady_time::min()));
    co_return waited.timed_out();
  };
  REQUIRE(sync_wait(body(never)));
}
