// Offloaded jobs, files, directory watches and name resolution.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <berth/coro/deadline.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/io/directory_watch.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/file.hpp>
#include <berth/io/offload.hpp>
#include <berth/io/resolve.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace std::chrono_literals;

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
