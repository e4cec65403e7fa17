// What coro/ and io/ promise when the world or the caller does not behave: broken pipes, lost
// races, endless durations, names that do not fit, tasks that never wait, misuse.
#include <chrono>
#include <cstdint>
#include <functional>
#include <ratio>

#include <berth/base/error.hpp>
#include <berth/coro/channel.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/mutex.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/semaphore.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/timeout.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/coro/with_scope.hpp>
#include <berth/coro/yield.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/file.hpp>
#include <berth/io/tcp.hpp>
#include <berth/io/udp.hpp>

#include "support/catch.hpp"
#include "support/streams.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace std::chrono_literals;

namespace {

task<int> answer() { co_return 42; }

task<> nothing() { co_return; }

/// What awaiting that which `start` gives throws as berth::error; empty if it throws nothing.
template <typename Start>
task<std::string> thrown_in_task(Start start) {
  const auto here = co_await current_context();
  try {
    auto awaited = start(event_loop::of(here));
    (void)co_await std::move(awaited);
  } catch (const error& thrown) {
    co_return thrown.what();
  }
  co_return std::string();
}

template <typename Start>
std::string misuse(Start start) {
  return run(thrown_in_task(std::move(start)));
}

task<> note_end(std::string& notes) {
  const auto slept = co_await sleep_for(1h);
  notes += slept ? "slept " : "cancelled ";
}

}  // namespace

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

TEMPLATE_TEST_CASE("the longest duration of any unit means never", "", std::chrono::nanoseconds,
                   std::chrono::milliseconds, std::chrono::seconds, std::chrono::hours,
                   std::chrono::years, std::chrono::duration<double>) {
  const auto body = [](TestType longest) -> task<> {
    REQUIRE(deadline::after(longest).is_never());
    const auto slept = co_await when_any(sleep_for(longest), sleep_for(1ms));
    REQUIRE(slept.index() == 1);
    const auto in_time = co_await timeout(longest, answer());
    REQUIRE(in_time);
    semaphore permits(0);
    const auto waited =
        co_await when_any(permits.acquire(deadline::after(longest)), sleep_for(1ms));
    REQUIRE(waited.index() == 1);
  };
  run(body(TestType::max()));
}

TEST_CASE("centuries do not end at once, and what is before all time has passed") {
  const auto body = []() -> task<> {
    for (const int years : {100, 200, 292, 293, 1000}) {
      INFO(years);
      const std::chrono::years long_time(years);
      const auto slept = co_await when_any(sleep_for(long_time), sleep_for(1ms));
      REQUIRE(slept.index() == 1);
      const auto in_time = co_await timeout(long_time, sleep_for(1ms));
      REQUIRE(in_time);
    }
    const auto slept = co_await sleep_for(std::chrono::hours::min());
    REQUIRE(slept);
    const auto late = co_await timeout(std::chrono::milliseconds::min(), sleep_for(1h));
    REQUIRE(late.timed_out());
  };
  run(body());
}

TEST_CASE("a file is read whole if there is no limit") {
  const test::temporary_directory directory;
  const auto body = [](std::filesystem::path path) -> task<> {
    for (const std::size_t size : {0u, 1u, 300'000u}) {
      const std::string content(size, 'x');
      test::write_text(path, content);
      const auto read = co_await read_file(path, SIZE_MAX);
      REQUIRE(read);
      REQUIRE(*read == content);
    }
  };
  run(body(directory.path() / "file"));
}

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

}  // namespace

TEST_CASE("a file that is too large is refused before it is read") {
  const test::temporary_directory directory;
  const auto path = directory.path() / "sparse";
  test::write_text(path, "x");
  std::filesystem::resize_file(path, std::uintmax_t{1} << 43);
  const auto read = [](std::filesystem::path from, std::size_t most) -> task<> {
    (void)co_await read_file(from, most);
  };
  REQUIRE_THROWS_WITH(run(read(path, 64u << 20)), Catch::Contains("larger than 67108864 bytes"));
  // Under the sanitizers, an allocation that large ends the program.
  if (!sanitized)
    REQUIRE_THROWS_WITH(run(read(path, SIZE_MAX)),
                        Catch::Contains("no memory for its 8796093022208"));
}

TEST_CASE("a shutdown beside a write ends the stream after all of it") {
  const auto write = [](stream& to, const std::string& text) -> task<> {
    const auto written = co_await to.write_all(text);
    REQUIRE(written);
  };
  const auto end = [](stream& to) -> task<> {
    const auto ended = co_await to.shutdown();
    REQUIRE(ended);
  };
  const auto count = [](stream& from) -> task<std::size_t> {
    std::vector<std::byte> buffer(65536);
    std::size_t all = 0;
    for (;;) {
      const auto size = co_await from.read_some(buffer, deadline::after(60s));
      if (!size || *size == 0) co_return all;
      all += *size;
    }
  };
  const auto body = [&]() -> task<> {
    test::pair_of_streams both = co_await test::connect_pair();
    const std::string text(32u << 20, 'x');
    const auto done =
        co_await when_all(write(both.server, text), end(both.server), count(both.client));
    REQUIRE(std::get<2>(done) == text.size());
  };
  run(body());
}

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

TEST_CASE("a task that was moved from cannot be awaited, nor given to anything") {
  const std::string message = "moved from";
  const auto moved_from = [] {
    task<int> gone = answer();
    const task<int> kept = std::move(gone);
    return gone;
  };
  const auto moved_void = [] {
    task<> gone = nothing();
    const task<> kept = std::move(gone);
    return gone;
  };
  CHECK_THAT(misuse([&](event_loop&) { return moved_from(); }), Catch::Contains(message));
  CHECK_THAT(misuse([&](event_loop&) { return when_all(answer(), moved_from()); }),
             Catch::Contains(message));
  CHECK_THAT(misuse([&](event_loop&) { return when_any(answer(), moved_from()); }),
             Catch::Contains(message));
  CHECK_THAT(misuse([&](event_loop&) { return timeout(1h, moved_from()); }),
             Catch::Contains(message));
  CHECK_THAT(misuse([&](event_loop& loop) {
               scope tasks(loop.context());
               tasks.spawn(moved_void());
               return nothing();
             }),
             Catch::Contains(message));
  CHECK_THROWS_AS(run(moved_from()), error);
}

TEST_CASE("a task is awaited once") {
  const auto body = []() -> task<> {
    task<int> once = answer();
    const int first = co_await std::move(once);
    REQUIRE(first == 42);
    bool thrown = false;
    try {
      const int again = co_await std::move(once);
      (void)again;
    } catch (const error&) {
      thrown = true;
    }
    REQUIRE(thrown);
  };
  run(body());
}

TEST_CASE("a loop that runs already cannot be run") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    REQUIRE_THROWS_AS(event_loop::of(here).run(nothing()), error);
  };
  run(body());
}

TEST_CASE("a stream that was closed or moved from throws whatever it is asked") {
  const auto body = [](bool closed) -> task<> {
    test::pair_of_streams both = co_await test::connect_pair();
    tcp_stream kept = std::move(both.server);
    if (closed) kept.close();
    tcp_stream& gone = closed ? kept : both.server;
    std::array<std::byte, 8> buffer;
    const auto read = [&](event_loop&) { return gone.read_some(buffer); };
    const auto write = [&](event_loop&) { return gone.write_all("text"); };
    const auto shutdown = [&](event_loop&) { return gone.shutdown(); };
    const auto from_read = co_await thrown_in_task(std::ref(read));
    CHECK_FALSE(from_read.empty());
    const auto from_write = co_await thrown_in_task(std::ref(write));
    CHECK_FALSE(from_write.empty());
    const auto from_shutdown = co_await thrown_in_task(std::ref(shutdown));
    CHECK_FALSE(from_shutdown.empty());
    CHECK_THROWS_AS(gone.local(), error);
    CHECK_THROWS_AS(gone.peer(), error);
    CHECK_THROWS_AS(gone.no_delay(true), error);
  };
  run(body(true));
  run(body(false));
}

TEST_CASE("a listener or a socket that was closed throws whatever it is asked") {
  CHECK_FALSE(misuse([](event_loop& loop) {
                tcp_listener gone(loop, test::any_port);
                gone.close();
                CHECK_THROWS_AS(gone.bound(), error);
                return gone.accept();
              }).empty());
  std::array<std::byte, 8> buffer;
  CHECK_FALSE(misuse([&buffer](event_loop& loop) {
                udp_socket gone(loop, test::any_port);
                gone.close();
                CHECK_THROWS_AS(gone.bound(), error);
                return gone.receive(buffer);
              }).empty());
}

TEST_CASE("an empty command starts no child") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    event_loop& loop = event_loop::of(here);
    CHECK_THROWS_AS(child_process(loop, {}), error);
    child_options nameless;
    nameless.environment = std::vector<std::string>{"PATH"};
    CHECK_THROWS_WITH(child_process(loop, {"true"}, nameless), Catch::Contains("NAME=VALUE"));
    CHECK_THROWS_AS(child_process(loop, {""}), error);
    co_return;
  };
  run(body());
}

TEST_CASE("a second task that joins a scope gets an error, and the first its end") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    std::string notes;
    scope joined(here), joiners(here);
    joined.spawn(note_end(notes));
    const auto join = [](scope& of, std::string& to) -> task<> {
      try {
        co_await of.join();
        to += "joined ";
      } catch (const error&) {
        to += "refused ";
      }
    };
    joiners.spawn(join(joined, notes));
    joiners.spawn(join(joined, notes));
    REQUIRE(notes == "refused ");
    joined.cancel();
    co_await joiners.join();
    REQUIRE(notes == "refused cancelled joined ");
  };
  run(body());
}

TEST_CASE("with_scope joins its tasks when its function returns, and gives what it gives") {
  const auto in_scope = [](scope& tasks, std::string& notes) -> task<int> {
    tasks.spawn(note_end(notes));
    tasks.cancel();
    co_return 42;
  };
  const auto body = [&in_scope]() -> task<> {
    std::string notes;
    const int given = co_await with_scope(in_scope, std::ref(notes));
    REQUIRE(given == 42);
    REQUIRE(notes == "cancelled ");
  };
  run(body());
}

TEST_CASE("with_scope joins its tasks when its function or one of them throws") {
  const auto throws = []() -> task<> {
    const auto yielded = co_await yield();
    if (yielded) throw std::runtime_error("thrown");
  };
  const auto function_throws = [](scope& tasks, std::string& notes) -> task<> {
    tasks.spawn(note_end(notes));
    throw std::runtime_error("thrown");
    co_return;
  };
  const auto task_throws = [&throws](scope& tasks, std::string& notes) -> task<> {
    tasks.spawn(throws());
    co_await note_end(notes);
  };
  const auto body = [](auto& function) -> task<> {
    std::string notes;
    bool thrown = false;
    try {
      co_await with_scope(std::ref(function), std::ref(notes));
    } catch (const std::runtime_error&) {
      thrown = true;
      REQUIRE(notes == "cancelled ");
    }
    REQUIRE(thrown);
  };
  run(body(function_throws));
  run(body(task_throws));
}
