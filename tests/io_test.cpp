#include <array>
#include <berth/coro/event.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/timeout.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/io/directory_watch.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/file.hpp>
#include <berth/io/offload.hpp>
#include <berth/io/resolve.hpp>
#include <berth/io/tcp.hpp>
#include <thread>

#include "support/catch.hpp"
#include "support/streams.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace std::chrono_literals;

namespace {

using test::any_port;
using test::connect_pair;

task<std::string> read_to_end(stream& from) {
  std::string all;
  std::array<std::byte, 10'000> buffer;
  for (;;) {
    const auto size = co_await from.read_some(buffer);
    if (!size || *size == 0) co_return all;
    all.append(reinterpret_cast<const char*>(buffer.data()), *size);
  }
}

task<> write_and_end(stream& to, std::string text) {
  const auto written = co_await to.write_all(text);
  REQUIRE(written);
  const auto ended = co_await to.shutdown();
  REQUIRE(ended);
}

}  // namespace

TEST_CASE("a listener on port 0 tells the port it was given, on IPv4 and IPv6") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    tcp_listener four(event_loop::of(here), {"127.0.0.1", 0});
    tcp_listener six(event_loop::of(here), {"::1", 0});
    REQUIRE(four.bound().port != 0);
    REQUIRE(to_string(six.bound()) == "[::1]:" + std::to_string(six.bound().port));
    auto both = co_await when_all(six.accept(), tcp_connect(six.bound()));
    REQUIRE(std::get<0>(both));
    REQUIRE(std::get<1>(both)->peer() == six.bound());
  };
  run(body());
}

TEST_CASE("a port that is taken is an error that names it") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    tcp_listener first(event_loop::of(here), any_port);
    REQUIRE_THROWS_WITH(tcp_listener(event_loop::of(here), first.bound()),
                        Catch::Contains(to_string(first.bound())) &&
                            Catch::Contains("port 0 lets the system pick"));
  };
  run(body());
}

TEST_CASE("megabytes arrive as they were sent, though the reader is slow") {
  const auto body = []() -> task<> {
    auto streams = co_await connect_pair();
    std::string sent;
    for (int i = 0; sent.size() < 20'000'000; ++i) sent += std::to_string(i);
    auto both = co_await when_all(write_and_end(streams.client, sent), read_to_end(streams.server));
    REQUIRE(std::get<1>(both) == sent);
  };
  run(body());
}

TEST_CASE("a peer that does not read makes a write wait, and its deadline end it") {
  const auto body = []() -> task<> {
    auto streams = co_await connect_pair();
    // Something has to switch the peer's reading on, so that its high-water mark counts.
    std::array<std::byte, 1> one;
    const std::string large(64u << 20, 'x');
    auto both = co_await when_all(streams.client.write_all(large, deadline::after(200ms)),
                                  streams.server.read_some(one));
    REQUIRE(std::get<0>(both).timed_out());
    REQUIRE(*std::get<1>(both) == 1);
  };
  run(body());
}

TEST_CASE("a cancelled read loses nothing") {
  const auto body = []() -> task<> {
    auto streams = co_await connect_pair();
    std::array<std::byte, 100> buffer;
    const auto early = co_await streams.server.read_some(buffer, deadline::after(1ms));
    REQUIRE(early.timed_out());
    const auto written = co_await streams.client.write_all("hello");
    REQUIRE(written);
    const auto late = co_await streams.server.read_some(buffer);
    REQUIRE(*late == 5);
  };
  run(body());
}

TEST_CASE("a second read beside the first is refused") {
  const auto body = []() -> task<> {
    auto streams = co_await connect_pair();
    std::array<std::byte, 1> one, two;
    auto both = co_await when_any(streams.server.read_some(one), streams.server.read_some(two));
    REQUIRE(both.index() == 1);
    REQUIRE(std::get<1>(both).error() != std::error_code());
  };
  run(body());
}

TEST_CASE("a connection that ends is a read of nothing") {
  const auto body = []() -> task<> {
    auto streams = co_await connect_pair();
    std::array<std::byte, 16> buffer;
    streams.client.close();
    const auto ended = co_await streams.server.read_some(buffer);
    REQUIRE(ended);
    REQUIRE(*ended == 0);
  };
  run(body());
}

TEST_CASE("closing a stream ends the wait on it") {
  const auto body = []() -> task<> {
    auto streams = co_await connect_pair();
    std::array<std::byte, 16> buffer;
    const auto close_soon = [](tcp_stream& closed) -> task<> {
      (void)co_await sleep_for(1ms);
      closed.close();
    };
    auto both = co_await when_all(streams.server.read_some(buffer), close_soon(streams.server));
    REQUIRE(std::get<0>(both).error() == std::errc::operation_canceled);
  };
  run(body());
}

TEST_CASE("a connect to a port without listener is refused; a cancelled one leaves nothing") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    endpoint gone;
    {
      tcp_listener listener(event_loop::of(here), any_port);
      gone = listener.bound();
    }
    const auto refused = co_await tcp_connect(gone);
    REQUIRE(refused.error() == std::errc::connection_refused);
    const auto late = co_await tcp_connect(gone, deadline::at(steady_time::min()));
    REQUIRE(late.timed_out());
  };
  run(body());
}

TEST_CASE("what nobody accepts waits in the backlog") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    tcp_listener listener(event_loop::of(here), any_port);
    std::vector<tcp_stream> clients;
    for (int i = 0; i < 20; ++i) {
      auto connected = co_await tcp_connect(listener.bound());
      clients.push_back(std::move(connected).value("connect"));
    }
    const auto timed = co_await listener.accept(deadline::at(steady_time::min()));
    (void)timed;
    for (int i = 0; i < 19; ++i) {
      const auto accepted = co_await listener.accept();
      REQUIRE(accepted);
    }
  };
  run(body());
}

TEST_CASE("a loop reports the handles that were left open") {
  event_loop loop;
  REQUIRE(loop.open_handles().empty());
  {
    tcp_listener listener(loop, any_port);
    REQUIRE(loop.open_handles() == std::vector<std::string>{"tcp"});
  }
  REQUIRE(loop.open_handles().empty());
}

TEST_CASE("a loop runs one task after the other, also such as end at once") {
  event_loop loop;
  const auto at_once = []() -> task<int> { co_return 1; };
  const auto later = []() -> task<int> {
    (void)co_await sleep_for(1ms);
    co_return 2;
  };
  for (int i = 0; i < 3; ++i) {
    REQUIRE(loop.run(at_once()) == 1);
    REQUIRE(loop.run(later()) == 2);
  }
}

TEST_CASE("calls submitted by other threads run on the loop's thread, all of them") {
  event_loop loop;
  int calls = 0;
  event all;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n)
        loop.submit([&] {
          if (++calls == 4000) all.set();
        });
    });
  const auto body = [](event& done) -> task<> { (void)co_await done.wait(); };
  loop.run(body(all));
  for (auto& thread : threads) thread.join();
  REQUIRE(calls == 4000);
}

TEST_CASE("a loop that is stopped from another thread cancels what it runs") {
  event_loop loop;
  std::thread stopper([&] { loop.stop(stop_reason::shutdown); });
  const auto body = []() -> task<stop_reason> {
    const auto slept = co_await sleep_for(1h);
    co_return slept.reason();
  };
  REQUIRE(loop.run(body()) == stop_reason::shutdown);
  stopper.join();
}

TEST_CASE("offload runs elsewhere, gives the value and passes the exception on") {
  const auto body = []() -> task<> {
    const auto loop_thread = std::this_thread::get_id();
    auto job = [] { return std::this_thread::get_id(); };
    const auto elsewhere = co_await offload(std::move(job));
    REQUIRE(*elsewhere != loop_thread);
    auto broken = []() -> int { throw std::runtime_error("in the pool"); };
    bool thrown = false;
    try {
      (void)co_await offload(std::move(broken));
    } catch (const std::runtime_error&) {
      thrown = true;
    }
    REQUIRE(thrown);
  };
  run(body());
}

TEST_CASE("a job that has not begun is cancelled; one that has is awaited") {
  const auto body = []() -> task<> {
    std::atomic<int> begun = 0, ended = 0;
    std::atomic<bool> go_on = false;
    const auto one = [](std::atomic<int>& first, std::atomic<int>& last,
                        std::atomic<bool>& released) -> task<bool> {
      auto job = [&] {
        ++first;
        while (!released) std::this_thread::yield();
        ++last;
      };
      const auto ran = co_await offload(std::move(job));
      co_return ran.has_value();
    };
    const auto here = co_await current_context();
    scope tasks(here);
    int cancelled = 0;
    for (int i = 0; i < 12; ++i)
      tasks.spawn([&]() -> task<> {
        const bool ran = co_await one(begun, ended, go_on);
        if (!ran) ++cancelled;
      });
    while (begun < 4) {  // the pool has four threads
      (void)co_await sleep_for(1ms);
    }
    tasks.cancel();
    (void)co_await sleep_for(1ms);
    go_on = true;
    co_await tasks.join();
    REQUIRE(begun == ended);
    REQUIRE(begun + cancelled == 12);
    REQUIRE(cancelled == 8);
  };
  run(body());
}

TEST_CASE("files are written and read back whole; what is missing is named") {
  test::temporary_directory directory;
  const auto path = directory.path() / "file";
  const auto body = [](std::filesystem::path file) -> task<> {
    std::string content(3'000'000, 'a');
    const auto written = co_await write_file(file, content);
    REQUIRE(written);
    const auto read = co_await read_file(file);
    REQUIRE(*read == content);
    std::string message;
    try {
      (void)co_await read_file(file.string() + "-none");
    } catch (const error& failed) {
      message = failed.what();
    }
    REQUIRE_THAT(message, Catch::Contains("file-none"));
    bool too_large = false;
    try {
      (void)co_await read_file(file, 10);
    } catch (const error& failed) {
      too_large = failed.code() == std::errc::file_too_large;
    }
    REQUIRE(too_large);
  };
  run(body(path));
}

TEST_CASE("a directory watch tells the names of what changed") {
  test::temporary_directory directory;
  const auto body = [](std::filesystem::path watched) -> task<> {
    const auto here = co_await current_context();
    directory_watch watch(event_loop::of(here), watched);
    test::write_text(watched / "one", "1");
    const auto first = co_await watch.next();
    REQUIRE(*first == "one");
    std::filesystem::rename(watched / "one", watched / "two");
    auto name = co_await watch.next();
    while (*name != "two") name = co_await watch.next();
    const auto none = co_await watch.next(deadline::after(1ms));
    REQUIRE((none.timed_out() || !none->empty()));
    REQUIRE_THROWS_AS(directory_watch(event_loop::of(here), watched / "none"), error);
  };
  run(body(directory.path()));
}

TEST_CASE("a name resolves to addresses, an address to itself, nonsense to a failure") {
  const auto body = []() -> task<> {
    const endpoint local{"localhost", 80};
    const auto found = co_await resolve(local);
    REQUIRE(found);
    REQUIRE(found->front() == endpoint("127.0.0.1", 80));
    const endpoint numeric{"::1", 1};
    const auto itself = co_await resolve(numeric);
    REQUIRE(itself->front() == numeric);
    const endpoint nonsense{"no such name", 1};
    const auto none = co_await resolve(nonsense);
    REQUIRE_FALSE(none);
    REQUIRE_FALSE(none.error().message().empty());
  };
  run(body());
}
