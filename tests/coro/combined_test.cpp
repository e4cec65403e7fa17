// when_any, when_all, timeouts, stops and shields.
#include <chrono>
#include <tuple>
#include <vector>

#include <berth/coro/deadline.hpp>
#include <berth/coro/manual_loop.hpp>
#include <berth/coro/root_task.hpp>
#include <berth/coro/shield.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/stop.hpp>
#include <berth/coro/sync_wait.hpp>
#include <berth/coro/timeout.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/coro/when_any.hpp>

#include "coro/driven.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace coro_test;
using namespace std::chrono_literals;

TEST_CASE("when_any gives the first result, cancels the losers and awaits them") {
  std::vector<int> order;
  const auto body = [](std::vector<int>& into) -> task<std::size_t> {
    const auto first = co_await when_any(note_after(1h, 1, into), note_after(1ms, 2, into));
    into.push_back(9);
    co_return first.index();
  };
  driven<std::size_t> run(body(order));
  run.loop.advance(1ms);
  REQUIRE(run.root.ended());
  REQUIRE(run.root.take() == 1);
  REQUIRE(order == std::vector<int>{2, -1, 9});
  REQUIRE_FALSE(run.loop.next_due());
}

TEST_CASE("when_any of ready tasks takes the first in order, and passes its exception on") {
  const auto ready = []() -> task<int> {
    const auto first = co_await when_any(give(1), give(2));
    co_return std::get<0>(first);
  };
  REQUIRE(sync_wait(ready()) == 1);
  const auto broken = []() -> task<> {
    const auto never = co_await when_any(fail("first"), sleep_for(1h));
    (void)never;
  };
  REQUIRE_THROWS_WITH(sync_wait(broken()), "first");
}

TEST_CASE("when_all gives every result; a failure cancels the others and comes out") {
  const auto all = []() -> task<int> {
    const auto values = co_await when_all(give(1), give(2), sleep_for(1ms));
    std::vector<task<int>> tasks;
    for (int i = 0; i < 5; ++i) tasks.push_back(give(i));
    const auto more = co_await when_all(std::move(tasks));
    co_return std::get<0>(values) + std::get<1>(values) + more[4];
  };
  REQUIRE(sync_wait(all()) == 7);
  const auto broken = []() -> task<> {
    const auto never = co_await when_all(sleep_for(1h), fail("second"));
    (void)never;
  };
  REQUIRE_THROWS_WITH(sync_wait(broken()), "second");
}

TEST_CASE("a timeout cancels with its reason and says timed out; a value in time passes") {
  const auto late = []() -> task<bool> {
    const auto inner = co_await timeout(1ms, sleep_and_tell(1h));
    co_return inner.timed_out() && inner.reason() == stop_reason::deadline;
  };
  REQUIRE(sync_wait(late()));
  const auto in_time = []() -> task<int> {
    const auto value = co_await timeout(1h, give(3));
    co_return value ? *value : 0;
  };
  REQUIRE(sync_wait(in_time()) == 3);
}

TEST_CASE("a cancelled wait says cancelled, with the reason of who asked") {
  driven<stop_reason> run(sleep_and_tell(1h));
  REQUIRE_FALSE(run.root.ended());
  run.stop.request_stop(stop_reason::shutdown);
  run.loop.run_ready();
  REQUIRE(run.root.ended());
  REQUIRE(run.root.take() == stop_reason::shutdown);
  REQUIRE_FALSE(run.stop.request_stop(stop_reason::requested));
}

TEST_CASE("what starts under a stop that was asked for does not wait") {
  manual_loop loop;
  stop_source stop;
  stop.request_stop(stop_reason::requested);
  root_task<stop_reason> root(sleep_and_tell(1h));
  execution_context context;
  context.loop = &loop;
  context.stop = stop.token();
  root.start(context);
  REQUIRE(root.ended());
  REQUIRE(root.take() == stop_reason::requested);
}

TEST_CASE("a shielded task does not see the stop") {
  const auto body = []() -> task<stop_reason> { co_return co_await shield(sleep_and_tell(1s)); };
  driven<stop_reason> run(body());
  run.stop.request_stop(stop_reason::shutdown);
  run.loop.run_ready();
  REQUIRE_FALSE(run.root.ended());
  run.loop.advance(1s);
  REQUIRE(run.root.take() == stop_reason::none);
}
