// Task values, exceptions and depth, and results.
#include <string>
#include <system_error>

#include <berth/coro/deadline.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/manual_loop.hpp>
#include <berth/coro/root_task.hpp>
#include <berth/coro/sync_wait.hpp>

#include "coro/driven.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace coro_test;

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
