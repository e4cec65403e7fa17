// Coroutine shapes that compilers got wrong, and exceptions through a hundred scopes.
#include <chrono>
#include <stdexcept>
#include <vector>

#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/sync_wait.hpp>

#include "primitives/in_a_scope.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace primitives_test;
using namespace std::chrono_literals;

// The shapes that GCC 12 compiles wrong, written as they are to be written: each of these crashed
// or corrupted the heap in the shape that the lint refuses.

namespace {

struct noisy {
  explicit noisy(int& living) : living_(&living) { ++*living_; }
  noisy(const noisy& other) : living_(other.living_) { ++*living_; }
  noisy(noisy&& other) noexcept : living_(other.living_) { ++*living_; }
  noisy& operator=(const noisy&) = delete;
  ~noisy() { --*living_; }
  int* living_;
};

task<bool> yes() { co_return true; }
task<int> count(std::vector<noisy> several) { co_return static_cast<int>(several.size()); }

}  // namespace

TEST_CASE("a loop that waits in each turn, in a coroutine without variables, ends rightly") {
  const auto body = []() -> task<int> {
    for (int turns = 0;; ++turns) {
      const bool go_on = co_await yes();
      if (!go_on || turns == 1000) co_return turns;
    }
  };
  REQUIRE(sync_wait(body()) == 1000);
}

TEST_CASE("what is made for an await is destroyed once") {
  int living = 0;
  const auto body = [](int& alive) -> task<> {
    std::vector<noisy> several(3, noisy(alive));
    const int counted = co_await count(std::move(several));
    REQUIRE(counted == 3);
    auto callable = [kept = noisy(alive)] { return *kept.living_; };
    const auto call = [](decltype(callable) called) -> task<int> { co_return called(); };
    const int seen = co_await call(std::move(callable));
    REQUIRE(seen > 0);
  };
  sync_wait(body(living));
  REQUIRE(living == 0);
}

TEST_CASE("a lambda with captures that a scope runs lives as long as its coroutine") {
  int living = 0, ran = 0;
  const auto body = [&](scope& tasks) -> task<> {
    tasks.spawn([kept = noisy(living), &ran]() -> task<> {
      (void)co_await sleep_for(1ms);
      ran = *kept.living_;
    });
    return []() -> task<> { co_return; }();
  };
  in_a_scope(body);
  REQUIRE(ran >= 1);
  REQUIRE(living == 0);
}

namespace {

task<int> descend_by_scopes(int depth) {
  if (depth == 0) throw std::runtime_error("from the bottom");
  const auto here = co_await current_context();
  scope tasks(here);
  int value = 0;
  const auto keep = [](int& into, int below) -> task<> {
    into = co_await descend_by_scopes(below);
  };
  tasks.spawn(keep(value, depth - 1));
  co_await tasks.join();
  co_return value;
}

}  // namespace

TEST_CASE("an exception comes up through a hundred scopes") {
  REQUIRE_THROWS_WITH(sync_wait(descend_by_scopes(100)), "from the bottom");
}
