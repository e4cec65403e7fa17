// Generators, shields and task names.
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include <berth/coro/deadline.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/generator.hpp>
#include <berth/coro/manual_loop.hpp>
#include <berth/coro/named.hpp>
#include <berth/coro/root_task.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/shield.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/stop.hpp>
#include <berth/coro/sync_wait.hpp>

#include "primitives/in_a_scope.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace primitives_test;
using namespace std::chrono_literals;

TEST_CASE("a generator gives one value at a time, waits in between and ends") {
  const auto count_to = [](int last) -> generator<std::string> {
    for (int i = 1; i <= last; ++i) {
      (void)co_await sleep_for(1ms);
      co_yield std::to_string(i);
    }
  };
  const auto body = [](generator<std::string> numbers) -> task<std::string> {
    std::string all;
    for (;;) {
      const auto next = co_await numbers.next();
      if (!next) break;
      all += *next;
    }
    const auto after_the_end = co_await numbers.next();
    REQUIRE_FALSE(after_the_end);
    co_return all;
  };
  REQUIRE(sync_wait(body(count_to(5))) == "12345");
}

TEST_CASE("a generator passes its exception on, and may be left half way") {
  const auto broken = [](std::shared_ptr<int> kept) -> generator<int> {
    co_yield *kept;
    throw std::runtime_error("no more");
  };
  const auto kept = std::make_shared<int>(7);
  const auto body = [](generator<int> values, bool to_the_end) -> task<> {
    const auto first = co_await values.next();
    REQUIRE(*first == 7);
    if (!to_the_end) co_return;
    const auto second = co_await values.next();
    (void)second;
  };
  REQUIRE_THROWS_WITH(sync_wait(body(broken(kept), true)), "no more");
  sync_wait(body(broken(kept), false));
  REQUIRE(kept.use_count() == 1);
}

TEST_CASE("a shield with a deadline ends at that, whatever was asked before") {
  const auto clean_up = [](event& never) -> task<stop_reason> {
    const auto waited = co_await shield(never.wait(), deadline::after(20ms));
    REQUIRE(waited.timed_out());
    co_return waited.reason();
  };
  event never;
  manual_loop loop;
  stop_source stop;
  execution_context context;
  context.loop = &loop;
  context.stop = stop.token();
  root_task<stop_reason> root(clean_up(never));
  stop.request_stop(stop_reason::requested);
  root.start(context);
  loop.run_ready();
  REQUIRE_FALSE(root.ended());
  loop.advance(1s);
  REQUIRE(root.ended());
  REQUIRE(root.take() == stop_reason::deadline);
}

TEST_CASE("a loop tells the names of the tasks that run, in the order of their starts") {
  const auto wait = [](event& of) -> task<int> {
    const auto waited = co_await of.wait();
    co_return waited ? 1 : 0;
  };
  event go;
  const auto body = [&](scope& tasks) -> task<> {
    const auto run = [](scope& in, task<int> one, task<int> other, event& let_go) -> task<> {
      const auto here = co_await current_context();
      const auto drop = [](task<int> of) -> task<> {
        const int value = co_await std::move(of);
        REQUIRE(value == 1);
      };
      in.spawn(drop(named("first", std::move(one))));
      in.spawn(drop(named("second", std::move(other))));
      const auto names = here.loop->live_tasks();
      REQUIRE(names.size() == 2);
      REQUIRE_THAT(names[0], Catch::StartsWith("first (0.0 s)"));
      REQUIRE_THAT(names[1], Catch::StartsWith("second ("));
      let_go.set();
      (void)co_await sleep_for(1ms);
      REQUIRE(here.loop->live_tasks().empty());
    };
    return run(tasks, wait(go), wait(go), go);
  };
  in_a_scope(body);
}
