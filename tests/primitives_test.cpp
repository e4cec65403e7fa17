// What tasks coordinate by: permits, locks, latches, channels, generators, names.
#include <berth/coro/channel.hpp>
#include <berth/coro/generator.hpp>
#include <berth/coro/latch.hpp>
#include <berth/coro/manual_loop.hpp>
#include <berth/coro/mutex.hpp>
#include <berth/coro/named.hpp>
#include <berth/coro/root_task.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/semaphore.hpp>
#include <berth/coro/shield.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/sync_wait.hpp>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace berth;
using namespace std::chrono_literals;

namespace {

task<> take_and_note(semaphore& from, std::vector<int>& order, int who, deadline until) {
  const auto taken = co_await from.acquire(until);
  order.push_back(taken ? who : -who);
}

/// Runs what there is to run on a manual loop, with a scope that is joined at the end.
template <typename Body>
void in_a_scope(Body body) {
  const auto whole = [](Body inner) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    co_await inner(tasks);
    co_await tasks.join();
  };
  sync_wait(whole(std::move(body)));
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

TEST_CASE("a channel hands every value on in order, and slows its senders down") {
  static constexpr int count = 1000;
  struct shared {
    channel<std::unique_ptr<int>> values{4};
    std::size_t most = 0;
  };
  const auto send = [](shared& state) -> task<> {
    for (int i = 0; i < count; ++i) {
      const auto sent = co_await state.values.send(std::make_unique<int>(i));
      REQUIRE(sent);
      state.most = std::max(state.most, state.values.size());
    }
    state.values.close();
  };
  const auto receive = [](shared& state) -> task<int> {
    for (int expected = 0;; ++expected) {
      const auto value = co_await state.values.receive();
      if (!value) {
        REQUIRE(value.error() == std::errc::broken_pipe);
        co_return expected;
      }
      REQUIRE(**value == expected);
    }
  };
  shared state;
  const auto body = [&](scope& tasks) -> task<> {
    tasks.spawn(send(state));
    const auto check = [](task<int> receiving) -> task<> {
      const int received = co_await std::move(receiving);
      REQUIRE(received == count);
    };
    return check(receive(state));
  };
  in_a_scope(body);
  REQUIRE(state.most == 4);
}

TEST_CASE("a closed channel gives what it keeps, and refuses more") {
  const auto body = []() -> task<> {
    channel<int> values(2);
    const auto kept = co_await values.send(7);
    REQUIRE(kept);
    values.close();
    const auto refused = co_await values.send(8);
    REQUIRE(refused.error() == std::errc::broken_pipe);
    int nine = 9;
    REQUIRE_FALSE(values.try_send(nine));
    const auto first = co_await values.receive();
    REQUIRE(*first == 7);
    const auto end = co_await values.receive();
    REQUIRE(end.error() == std::errc::broken_pipe);
  };
  sync_wait(body());
}

TEST_CASE("closing a channel wakes all that wait on it, on both sides") {
  struct shared {
    channel<int> empty{1}, full{1};
    int refused = 0;
  };
  const auto receive = [](shared& state) -> task<> {
    const auto value = co_await state.empty.receive();
    state.refused += value.error() == std::errc::broken_pipe;
  };
  const auto send = [](shared& state) -> task<> {
    const auto sent = co_await state.full.send(1);
    state.refused += sent.error() == std::errc::broken_pipe;
  };
  shared state;
  int filler = 0;
  REQUIRE(state.full.try_send(filler));
  const auto body = [&](scope& tasks) -> task<> {
    for (int i = 0; i < 3; ++i) {
      tasks.spawn(receive(state));
      tasks.spawn(send(state));
    }
    state.empty.close();
    state.full.close();
    return []() -> task<> { co_return; }();
  };
  in_a_scope(body);
  REQUIRE(state.refused == 6);
  REQUIRE(*state.full.try_receive() == 0);
}

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
