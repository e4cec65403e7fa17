// Nothing is lost that arrives in the turn in which a sibling wins.
#include <chrono>
#include <tuple>

#include <berth/coro/channel.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/mutex.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/semaphore.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>

#include "support/catch.hpp"
#include "support/streams.hpp"

using namespace berth;
using namespace std::chrono_literals;

TEST_CASE("a permit that comes in the turn in which a sibling wins is not lost") {
  const auto choose = [](semaphore& permits, event& other, std::size_t& index) -> task<> {
    const auto first = co_await when_any(other.wait(), permits.acquire());
    index = first.index();
  };
  const auto body = [&choose](bool permit_first) -> task<std::size_t> {
    const auto here = co_await current_context();
    semaphore permits(0);
    event other;
    std::size_t index = 9;
    scope tasks(here);
    tasks.spawn(choose(permits, other, index));
    if (permit_first) permits.release();
    other.set();
    if (!permit_first) permits.release();
    co_await tasks.join();
    co_return index * 10 + permits.free();
  };
  REQUIRE(run(body(false)) == 1);  // the sibling won, and the permit is free
  REQUIRE(run(body(true)) == 10);  // the permit won, and is taken
}

TEST_CASE("a mutex that is handed over in the turn in which a sibling wins is free again") {
  const auto choose = [](mutex& exclusive, event& other) -> task<> {
    const auto first = co_await when_any(other.wait(), exclusive.lock());
    REQUIRE(first.index() == 0);
  };
  const auto body = [&choose]() -> task<> {
    const auto here = co_await current_context();
    mutex exclusive;
    event other;
    scope tasks(here);
    {
      const auto held = co_await exclusive.lock();
      tasks.spawn(choose(exclusive, other));
      other.set();
    }
    co_await tasks.join();
    REQUIRE_FALSE(exclusive.is_locked());
  };
  run(body());
}

TEST_CASE("a value that comes in the turn in which a sibling wins is received by the next") {
  const auto choose = [](channel<int>& numbers, event& other) -> task<> {
    const auto first = co_await when_any(other.wait(), numbers.receive());
    REQUIRE(first.index() == 0);
  };
  const auto body = [&choose]() -> task<> {
    const auto here = co_await current_context();
    channel<int> numbers(1);
    event other;
    scope tasks(here);
    tasks.spawn(choose(numbers, other));
    other.set();
    int sent = 7;
    REQUIRE(numbers.try_send(sent));
    co_await tasks.join();
    REQUIRE(numbers.try_receive() == 7);
  };
  run(body());
}

TEST_CASE("room that comes in the turn in which a sibling wins goes to the next sender") {
  const auto choose = [](channel<int>& numbers, event& other) -> task<> {
    const auto first = co_await when_any(other.wait(), numbers.send(2));
    REQUIRE(first.index() == 0);
  };
  const auto body = [&choose]() -> task<> {
    const auto here = co_await current_context();
    channel<int> numbers(1);
    event other;
    int number = 1;
    REQUIRE(numbers.try_send(number));
    scope tasks(here);
    tasks.spawn(choose(numbers, other));
    other.set();
    REQUIRE(numbers.try_receive() == 1);
    co_await tasks.join();
    REQUIRE(numbers.size() == 0);
    number = 3;
    REQUIRE(numbers.try_send(number));
    REQUIRE(numbers.try_receive() == 3);
  };
  run(body());
}

TEST_CASE("a connection that loses in when_any is accepted next") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    event_loop& loop = event_loop::of(here);
    for (int i = 0; i < 20; ++i) {
      tcp_listener one(loop, test::any_port), other(loop, test::any_port);
      const auto choose = [](tcp_listener& left, tcp_listener& right) -> task<std::size_t> {
        const auto first = co_await when_any(left.accept(), right.accept());
        co_return first.index();
      };
      auto all = co_await when_all(choose(one, other), tcp_connect(one.bound()),
                                   tcp_connect(other.bound()));
      tcp_listener& loser = std::get<0>(all) == 0 ? other : one;
      const auto accepted = co_await loser.accept(deadline::after(20s));
      REQUIRE(accepted);
    }
  };
  run(body());
}
