// Sending, receiving and closing channels.
#include <algorithm>
#include <memory>
#include <system_error>

#include <berth/coro/channel.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sync_wait.hpp>

#include "primitives/in_a_scope.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace primitives_test;

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
