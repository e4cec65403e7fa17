// Permits, locks and latches.
#include <algorithm>
#include <chrono>
#include <vector>

#include <berth/coro/deadline.hpp>
#include <berth/coro/latch.hpp>
#include <berth/coro/mutex.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/semaphore.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/sync_wait.hpp>

#include "primitives/in_a_scope.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace primitives_test;
using namespace std::chrono_literals;

namespace {

task<> take_and_note(semaphore& from, std::vector<int>& order, int who, deadline until) {
  const auto taken = co_await from.acquire(until);
  order.push_back(taken ? who : -who);
}

}  // namespace

TEST_CASE("a semaphore gives its permits in the order of asking, and never more than it has") {
  std::vector<int> order;
  semaphore of_all(1);
  const auto body = [&](scope& tasks) -> task<> {
    const auto run = [](scope& in, std::vector<int>& noted, semaphore& permits) -> task<> {
      const auto until = deadline::after(1h);
      for (int who = 1; who <= 3; ++who) in.spawn(take_and_note(permits, noted, who, until));
      REQUIRE(noted == std::vector{1});
      REQUIRE_FALSE(permits.try_acquire());
      permits.release(2);
      (void)co_await sleep_for(1ms);
      REQUIRE(noted == std::vector{1, 2, 3});
      REQUIRE(permits.free() == 0);
      permits.release();
      REQUIRE(permits.try_acquire());
    };
    return run(tasks, order, of_all);
  };
  in_a_scope(body);
}

TEST_CASE("who gives up waiting for a permit takes none, and the next gets it") {
  std::vector<int> order;
  semaphore of_all(0);
  const auto body = [&](scope& tasks) -> task<> {
    const auto run = [](scope& in, std::vector<int>& noted, semaphore& permits) -> task<> {
      in.spawn(take_and_note(permits, noted, 1, deadline::after(1ms)));
      in.spawn(take_and_note(permits, noted, 2, deadline::never()));
      (void)co_await sleep_for(5ms);
      REQUIRE(noted == std::vector{-1});
      permits.release();
      (void)co_await sleep_for(1ms);
      REQUIRE(noted == std::vector{-1, 2});
      REQUIRE(permits.free() == 0);
    };
    return run(tasks, order, of_all);
  };
  in_a_scope(body);
}

TEST_CASE("a mutex is held across waits by one at a time, first come first served") {
  struct shared {
    mutex exclusive;
    int inside = 0, most = 0;
    std::vector<int> order;
  };
  const auto enter = [](shared& state, int who) -> task<> {
    const auto held = co_await state.exclusive.lock();
    REQUIRE(held);
    state.most = std::max(state.most, ++state.inside);
    (void)co_await sleep_for(1ms);
    --state.inside;
    state.order.push_back(who);
  };
  shared state;
  const auto body = [&](scope& tasks) -> task<> {
    for (int who = 0; who < 5; ++who) tasks.spawn(enter(state, who));
    return []() -> task<> { co_return; }();
  };
  in_a_scope(body);
  REQUIRE(state.most == 1);
  REQUIRE(state.order == std::vector{0, 1, 2, 3, 4});
  REQUIRE_FALSE(state.exclusive.is_locked());
}

TEST_CASE("a latch opens at its last count, for who waits and who comes later") {
  const auto body = []() -> task<> {
    latch gate(2);
    const auto early = co_await gate.wait(deadline::after(1ms));
    REQUIRE(early.timed_out());
    gate.count_down();
    REQUIRE_FALSE(gate.is_open());
    gate.count_down(7);
    const auto late = co_await gate.wait();
    REQUIRE(late);
    latch none(0);
    REQUIRE(none.is_open());
  };
  sync_wait(body());
}
