#include <berth/coro/deadline.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/manual_loop.hpp>
#include <berth/coro/root_task.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/shield.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/sync_wait.hpp>
#include <berth/coro/timeout.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/coro/when_any.hpp>
#include <random>
#include <stdexcept>
#include <string>

#include "support/catch.hpp"

using namespace berth;
using namespace std::chrono_literals;

namespace {

/// Runs a task on a loop and a clock that the test moves.
template <typename T>
struct driven {
  explicit driven(task<T> started) : root(std::move(started)) {
    context.loop = &loop;
    context.stop = stop.token();
    root.start(context);
    loop.run_ready();
  }
  manual_loop loop;
  stop_source stop;
  execution_context context;
  root_task<T> root;
};

task<int> give(int value) { co_return value; }
task<int> fail(std::string why) {
  if (!why.empty()) throw std::runtime_error(why);
  co_return 0;
}
task<stop_reason> sleep_and_tell(std::chrono::nanoseconds time) {
  const auto slept = co_await sleep_for(time);
  co_return slept.reason();
}
task<> note_after(std::chrono::nanoseconds time, int name, std::vector<int>& order) {
  const auto slept = co_await sleep_for(time);
  order.push_back(slept ? name : -name);
}

}  // namespace

TEST_CASE("a task is lazy and gives its value once awaited") {
  bool started = false;
  const auto body = [](bool& flag) -> task<int> {
    flag = true;
    co_return 7;
  };
  task<int> one = body(started);
  REQUIRE_FALSE(started);
  REQUIRE(sync_wait(std::move(one)) == 7);
  REQUIRE(started);
}

TEST_CASE("an exception leaves a task through its co_await") {
  REQUIRE_THROWS_WITH(sync_wait(fail("broken")), "broken");
}

namespace {
task<long> descend(int depth) {
  if (depth == 0) co_return 0;
  const long below = co_await descend(depth - 1);
  co_return below + 1;
}
task<long> many_ready(int times) {
  long sum = 0;
  for (int i = 0; i < times; ++i) sum += co_await give(1);
  co_return sum;
}
}  // namespace

TEST_CASE("a chain of a million tasks and a million ready awaits need no deep stack") {
  REQUIRE(sync_wait(descend(1'000'000)) == 1'000'000);
  REQUIRE(sync_wait(many_ready(1'000'000)) == 1'000'000);
}

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

namespace {
task<> wait_and_note(event& awaited, int name, std::vector<int>& order) {
  const auto waited = co_await awaited.wait();
  order.push_back(waited ? name : -name);
}
task<> use_scope(event& opened, std::vector<int>& order) {
  const auto here = co_await current_context();
  scope tasks(here);
  for (int name = 1; name <= 3; ++name) tasks.spawn(wait_and_note(opened, name, order));
  co_await tasks.join();
  order.push_back(9);
}
task<> fail_in_scope(std::vector<int>& order) {
  const auto here = co_await current_context();
  scope tasks(here);
  tasks.spawn(note_after(1h, 1, order));
  tasks.spawn([]() -> task<> {
    throw std::runtime_error("inside");
    co_return;
  });
  co_await tasks.join();
}
}  // namespace

TEST_CASE("an event wakes its waiters in order, once, and later ones at once") {
  event opened;
  std::vector<int> order;
  driven<void> run(use_scope(opened, order));
  REQUIRE(order.empty());
  opened.set();
  run.loop.run_ready();
  REQUIRE(order == std::vector<int>{1, 2, 3, 9});
  driven<void> again(use_scope(opened, order));
  REQUIRE(again.root.ended());
}

TEST_CASE("an event that is set at the moment of a stop counts as set") {
  event opened;
  std::vector<int> order;
  driven<void> run(use_scope(opened, order));
  opened.set();
  run.stop.request_stop(stop_reason::shutdown);
  run.loop.run_ready();
  REQUIRE(order == std::vector<int>{1, 2, 3, 9});
}

TEST_CASE("a stop reaches the tasks of a scope, and its join waits for them") {
  event opened;
  std::vector<int> order;
  driven<void> run(use_scope(opened, order));
  run.stop.request_stop(stop_reason::requested);
  run.loop.run_ready();
  REQUIRE(order == std::vector<int>{-1, -2, -3, 9});
}

TEST_CASE("the first failure in a scope cancels the siblings and comes out of the join") {
  std::vector<int> order;
  REQUIRE_THROWS_WITH(sync_wait(fail_in_scope(order)), "inside");
  REQUIRE(order == std::vector<int>{-1});
}

TEST_CASE("a scope keeps a lambda with captures alive as long as its coroutine") {
  const auto body = []() -> task<std::string> {
    const auto here = co_await current_context();
    scope tasks(here);
    std::string seen;
    {
      const std::string captured(100, 'x');
      tasks.spawn([captured, &seen]() -> task<> {
        (void)co_await sleep_for(1ms);
        seen = captured;
      });
    }
    co_await tasks.join();
    co_return seen;
  };
  REQUIRE(sync_wait(body()) == std::string(100, 'x'));
}

TEST_CASE("sync_wait refuses to wait for what nothing can bring") {
  event never;
  const auto body = [](event& awaited) -> task<> { (void)co_await awaited.wait(); };
  manual_loop loop;
  root_task<void> root(body(never));
  execution_context context;
  context.loop = &loop;
  root.start(context);
  loop.run_ready();
  REQUIRE_FALSE(root.ended());
  REQUIRE_FALSE(loop.next_due());
  never.set();
  loop.run_ready();
  REQUIRE(root.ended());
}

TEST_CASE("a result without a value says why and throws that when read") {
  const result<int> none = failure(std::make_error_code(std::errc::connection_reset));
  REQUIRE_FALSE(none);
  REQUIRE(none.error() == std::errc::connection_reset);
  REQUIRE_THROWS_AS(result<int>(none).value("read"), berth::error);
  REQUIRE(result<int>(4).value() == 4);
}

TEST_CASE("a failure that is handed on keeps its code and its reason") {
  const result<int> expired = failure::cancelled(stop_reason::deadline);
  const result<std::string> text = expired.failure();
  REQUIRE(text.timed_out());
  REQUIRE(text.reason() == stop_reason::deadline);
  const result<void> nothing = text.failure();
  REQUIRE(nothing.timed_out());
  REQUIRE(nothing.reason() == stop_reason::deadline);
}
