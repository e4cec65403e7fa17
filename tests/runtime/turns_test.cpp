// Tasks that never have to wait still let others run.
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <berth/base/error.hpp>
#include <berth/coro/channel.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/mutex.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/yield.hpp>
#include <berth/io/event_loop.hpp>

#include "support/catch.hpp"
#include "support/streams.hpp"

using namespace berth;
using namespace std::chrono_literals;

namespace {

/// Waits of each kind that never have to wait, until a stop; whether the stop was what ended them.
task<result<void>> wait_for_nothing(int kind, mutex& exclusive, channel<int>& numbers, event& set) {
  switch (kind) {
    case 0: {
      const auto slept = co_await sleep_for(0ns);
      co_return slept;
    }
    case 1: {
      const auto held = co_await exclusive.lock();
      if (!held) co_return failure(held.error(), held.reason());
      co_return result<void>();
    }
    case 2: {
      const auto sent = co_await numbers.send(1);
      if (!sent) co_return sent;
      const auto received = co_await numbers.receive();
      if (!received) co_return failure(received.error(), received.reason());
      co_return result<void>();
    }
    case 3: {
      const auto waited = co_await set.wait();
      co_return waited;
    }
    default: {
      const auto yielded = co_await yield();
      co_return yielded;
    }
  }
}

task<> never_wait(int kind, bool& stopped) {
  mutex exclusive;
  channel<int> numbers(1);
  event set;
  set.set();
  const auto hung = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < hung) {
    const auto ended = co_await wait_for_nothing(kind, exclusive, numbers, set);
    if (ended) continue;
    stopped = true;
    co_return;
  }
}

}  // namespace

TEST_CASE("a task whose waits all end at once lets a timer and a stop in") {
  const auto body = [](int kind) -> task<> {
    const auto here = co_await current_context();
    bool stopped = false;
    scope tasks(here);
    const auto cancel = [](scope& cancelled) -> task<> {
      const auto slept = co_await sleep_for(1ms);
      if (slept) cancelled.cancel();
    };
    tasks.spawn(cancel(tasks));
    tasks.spawn(never_wait(kind, stopped));
    co_await tasks.join();
    INFO(kind);
    REQUIRE(stopped);
  };
  for (const int kind : {0, 1, 2, 3, 4}) run(body(kind));
}

TEST_CASE("an endless write to a peer that takes everything lets a timer and a stop in") {
  const auto drain = [](stream& from) -> task<> {
    std::vector<std::byte> buffer(65536);
    for (;;) {
      const auto size = co_await from.read_some(buffer);
      if (!size || *size == 0) co_return;
    }
  };
  const auto write_on = [](stream& to, bool& stopped) -> task<> {
    const std::string piece(1000, 'x');
    const auto hung = std::chrono::steady_clock::now() + 30s;
    while (std::chrono::steady_clock::now() < hung) {
      const auto written = co_await to.write_all(piece);
      if (written) continue;
      stopped = true;
      co_return;
    }
  };
  const auto cancel = [](scope& cancelled) -> task<> {
    const auto slept = co_await sleep_for(5ms);
    if (slept) cancelled.cancel();
  };
  const auto body = [&]() -> task<> {
    const auto here = co_await current_context();
    test::pair_of_streams both = co_await test::connect_pair();
    bool stopped = false;
    scope tasks(here);
    tasks.spawn(drain(both.client));
    tasks.spawn(cancel(tasks));
    tasks.spawn(write_on(both.server, stopped));
    co_await tasks.join();
    REQUIRE(stopped);
  };
  run(body());
}

TEST_CASE("tasks that yield take turns, and a stop ends a yield") {
  const auto write = [](std::string& order, char name) -> task<> {
    for (int i = 0; i < 3; ++i) {
      order += name;
      const auto yielded = co_await yield();
      if (!yielded) order += '!';
    }
  };
  const auto body = [&write]() -> task<> {
    const auto here = co_await current_context();
    std::string order;
    scope tasks(here);
    tasks.spawn(write(order, 'a'));
    tasks.spawn(write(order, 'b'));
    co_await tasks.join();
    REQUIRE(order == "ababab");
    tasks.cancel();
    order.clear();
    tasks.spawn(write(order, 'a'));
    co_await tasks.join();
    REQUIRE(order == "a!a!a!");
  };
  run(body());
}
