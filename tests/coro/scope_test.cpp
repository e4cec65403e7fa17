// Events and scopes.
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <berth/coro/event.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/sync_wait.hpp>

#include "coro/driven.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace coro_test;
using namespace std::chrono_literals;

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
