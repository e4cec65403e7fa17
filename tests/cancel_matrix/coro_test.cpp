// Rows for coroutine primitives: events, locks, channels, timers and scopes.
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <berth/coro/channel.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/generator.hpp>
#include <berth/coro/latch.hpp>
#include <berth/coro/mutex.hpp>
#include <berth/coro/named.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/semaphore.hpp>
#include <berth/coro/shield.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/timeout.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/coro/with_scope.hpp>
#include <berth/coro/yield.hpp>

#include "cancel_matrix/row.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace cancel_matrix_test;
using namespace std::chrono_literals;

namespace {

task<outcome> wait_for(event& of) {
  const auto ended = co_await of.wait();
  co_return outcome_of(ended);
}

ROW(event_row, row, "event::wait") {
  using row::row;
  event awaited;
  AWAIT(awaited.wait())
  void complete() override { awaited.set(); }
};

ROW(semaphore_row, row, "semaphore::acquire") {
  using row::row;
  semaphore permits{0};
  AWAIT(permits.acquire())
  void complete() override { permits.release(); }
};

ROW(mutex_row, row, "mutex::lock") {
  using row::row;
  mutex exclusive;
  std::optional<mutex::holder> held;
  task<> prepare() override {
    auto locked = co_await exclusive.lock();
    held.emplace(std::move(*locked));
  }
  AWAIT(exclusive.lock())
  void complete() override { held.reset(); }
};

ROW(latch_row, row, "latch::wait") {
  using row::row;
  latch gate{2};
  AWAIT(gate.wait())
  void complete() override { gate.count_down(2); }
};

ROW(channel_send_row, row, "channel::send") {
  using row::row;
  channel<std::string> full{1};
  task<> prepare() override {
    const auto sent = co_await full.send("fills it");
    REQUIRE(sent);
  }
  AWAIT(full.send("waits"))
  void complete() override { (void)full.try_receive(); }
};

ROW(channel_receive_row, row, "channel::receive") {
  using row::row;
  channel<std::string> empty{1};
  AWAIT(empty.receive())
  void complete() override {
    std::string value = "comes";
    (void)empty.try_send(value);
  }
};

ROW(sleep_row, row, "sleep_for") {
  using row::row;
  AWAIT(sleep_for(20ms))
  void complete() override {
    std::this_thread::sleep_for(25ms);
  }  // without the loop: it is due then
};

ROW(yield_row, row, "yield") {
  using row::row;
  AWAIT(yield())
  void complete() override {}  // it comes in the next turn of the loop
};

task<result<void>> sleep_in_scope(scope&) {
  const auto slept = co_await sleep_for(20ms);
  co_return slept;
}

ROW(with_scope_row, row, "with_scope") {
  using row::row;
  AWAIT(with_scope(&sleep_in_scope))
  void complete() override { std::this_thread::sleep_for(25ms); }
};

ROW(sleep_until_row, row, "sleep_until") {
  using row::row;
  AWAIT(sleep_until(deadline::after(20ms)))
  void complete() override { std::this_thread::sleep_for(25ms); }
};

ROW(generator_row, row, "generator::next") {
  using row::row;
  event awaited;
  static generator<outcome> outcomes(event & of) {
    for (;;) {
      const auto ended = co_await of.wait();
      co_yield outcome_of(ended);
    }
  }
  generator<outcome> stream = outcomes(awaited);
  task<outcome> wait() override {
    const auto next = co_await stream.next();
    co_return *next;
  }
  void complete() override { awaited.set(); }
};

ROW(task_row, row, "task") {
  using row::row;
  event awaited;
  task<outcome> wait() override {
    const auto ended = co_await wait_for(awaited);
    co_return ended;
  }
  void complete() override { awaited.set(); }
};

ROW(named_row, row, "named") {
  using row::row;
  event awaited;
  task<outcome> wait() override {
    const auto ended = co_await named("inner", wait_for(awaited));
    co_return ended;
  }
  void complete() override { awaited.set(); }
};

ROW(when_all_row, row, "when_all") {
  using row::row;
  event first, second;
  task<outcome> wait() override {
    const auto both = co_await when_all(first.wait(), second.wait());
    const auto one = outcome_of(std::get<0>(both)), other = outcome_of(std::get<1>(both));
    co_return one.came ? other : one;
  }
  void complete() override {
    first.set();
    second.set();
  }
};

ROW(when_all_vector_row, row, "when_all of a vector") {
  using row::row;
  event awaited;
  task<outcome> wait() override {
    std::vector<task<outcome>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(wait_for(awaited));
    const auto all = co_await when_all(std::move(tasks));
    co_return all.back();
  }
  void complete() override { awaited.set(); }
};

ROW(when_any_row, row, "when_any") {
  using row::row;
  event awaited;
  task<outcome> wait() override {
    const auto first = co_await when_any(awaited.wait(), sleep_for(1h));
    co_return first.index() == 0 ? outcome_of(std::get<0>(first)) : outcome_of(std::get<1>(first));
  }
  void complete() override { awaited.set(); }
};

ROW(timeout_row, row, "timeout") {
  using row::row;
  event awaited;
  AWAIT(timeout(1h, awaited.wait()))
  void complete() override { awaited.set(); }
};

ROW(join_row, row, "scope::join") {
  using row::row;
  event awaited;
  static task<> note(event & of, outcome & into) {
    const auto waited = co_await of.wait();
    into = outcome_of(waited);
  }
  task<outcome> wait() override {
    const auto here = co_await current_context();
    scope tasks(here);
    outcome ended;
    tasks.spawn(note(awaited, ended));
    co_await tasks.join();
    co_return ended;
  }
  void complete() override { awaited.set(); }
};

ROW(shield_row, row, "shield") {
  using row::row;
  event awaited;
  task<outcome> wait() override {
    const auto ended = co_await shield(awaited.wait(), deadline::after(10s));
    co_return outcome_of(ended);
  }
  void complete() override { awaited.set(); }
  bool can_be_cancelled() const override { return false; }
};

}  // namespace
