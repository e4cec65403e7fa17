// Cancels every awaitable before, during, at and after its completion, and by its loop's end.
#include <chrono>
#include <functional>
#include <system_error>
#include <thread>

#include <berth/coro/deadline.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/root_task.hpp>
#include <berth/coro/stop.hpp>
#include <berth/io/event_loop.hpp>

#include "cancel_matrix/row.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace cancel_matrix_test;
using namespace std::chrono_literals;

namespace {

/// One wait under a stop of its own.
class attempt {
 public:
  explicit attempt(row& of) : root_(of.wait(), [this] { ended_.set(); }), loop_(of.loop) {}
  void start() {
    execution_context context;
    context.loop = &loop_;
    context.stop = stop_.token();
    root_.start(context);
  }
  void stop() { stop_.request_stop(stop_reason::requested); }
  task<outcome> end() {
    const auto in_time = co_await ended_.wait(deadline::after(10s));
    REQUIRE(in_time);
    co_return root_.take();
  }

 private:
  event ended_;
  stop_source stop_;
  root_task<outcome> root_;
  event_loop& loop_;
};

void check_cancelled(const outcome& ended) {
  REQUIRE_FALSE(ended.came);
  REQUIRE(ended.code == std::errc::operation_canceled);
  REQUIRE(ended.reason == stop_reason::requested);
}

task<> check_nothing_lost(row& one, bool completed) {
  if (!one.can_wait_again()) co_return;
  attempt again(one);
  again.start();
  if (!completed) one.complete();
  const auto ended = co_await again.end();
  REQUIRE(ended.came);
}

task<> cancelled_before_start(row& one) {
  attempt first(one);
  first.stop();
  first.start();
  if (!one.can_be_cancelled()) one.complete();
  const auto ended = co_await first.end();
  if (!one.can_be_cancelled()) co_return;
  check_cancelled(ended);
  co_await check_nothing_lost(one, false);
}

task<> cancelled_while_waiting(row& one) {
  attempt first(one);
  first.start();
  first.stop();
  if (!one.can_be_cancelled()) one.complete();
  const auto ended = co_await first.end();
  if (ended.came) co_return;  // what needs not wait has come
  check_cancelled(ended);
  co_await check_nothing_lost(one, false);
}

task<> cancelled_as_it_completes(row& one, bool stop_first) {
  attempt first(one);
  first.start();
  if (stop_first) first.stop();
  one.complete();
  std::this_thread::sleep_for(
      1ms);  // the loop stands still: what completes is there when it goes on
  if (!stop_first) first.stop();
  const auto ended = co_await first.end();
  if (ended.came) co_return;
  check_cancelled(ended);
  co_await check_nothing_lost(one, true);
}

task<> cancelled_after_completion(row& one) {
  attempt first(one);
  first.start();
  one.complete();
  const auto ended = co_await first.end();
  REQUIRE(ended.came);
  first.stop();
}

task<> with(row& one, std::function<task<>(row&)> scenario) {
  co_await one.prepare();
  co_await scenario(one);
  co_await one.tidy();
}

void run_all(const std::function<task<>(row&)>& scenario) {
  for (const auto& [name, make] : rows()) {
    INFO(name);
    event_loop loop;
    {
      const auto one = make(loop);
      loop.run(with(*one, scenario));
    }
    REQUIRE(loop.open_handles().empty());
  }
}

}  // namespace

TEST_CASE("cancelled before it starts, nothing is awaited and nothing lost") {
  run_all(cancelled_before_start);
}

TEST_CASE("cancelled while it waits, a wait says so with the reason, and nothing is lost") {
  run_all(cancelled_while_waiting);
}

TEST_CASE("cancelled at the moment it completes, a wait ends once, with one or the other") {
  for (const bool stop_first : {false, true})
    run_all([stop_first](row& one) { return cancelled_as_it_completes(one, stop_first); });
}

TEST_CASE("cancelled after it has completed, a wait has what came") {
  run_all(cancelled_after_completion);
}

TEST_CASE("a loop that is stopped ends every wait with its reason") {
  for (const auto& [name, make] : rows()) {
    INFO(name);
    event_loop loop;
    {
      const auto one = make(loop);
      if (!one->can_be_cancelled()) continue;
      loop.run(one->prepare());
      loop.stop(stop_reason::shutdown);
      const outcome ended = loop.run(one->wait());
      loop.run(one->tidy());
      if (!ended.came) {
        REQUIRE(ended.code == std::errc::operation_canceled);
        REQUIRE(ended.reason == stop_reason::shutdown);
      }
    }
    REQUIRE(loop.open_handles().empty());
  }
}
