// What is so on POSIX systems alone: signals, children's ends, a close that resets.
#include <signal.h>
#include <unistd.h>

#include <berth/io/child_process.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/signal_set.hpp>

#include "support/catch.hpp"
#include "support/streams.hpp"

using namespace berth;
using namespace std::chrono_literals;

TEST_CASE("signals are given one by one") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    signal_set signals(event_loop::of(here), {SIGUSR1, SIGUSR2});
    ::kill(::getpid(), SIGUSR1);
    const auto first = co_await signals.next();
    REQUIRE(*first == SIGUSR1);
    ::kill(::getpid(), SIGUSR2);
    const auto second = co_await signals.next();
    REQUIRE(*second == SIGUSR2);
    const auto none = co_await signals.next(deadline::after(1ms));
    REQUIRE(none.timed_out());
  };
  run(body());
}

TEST_CASE("a child's end is told with its status or its signal") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    auto& loop = event_loop::of(here);
    const std::vector<std::string> exits{"sh", "-c", "exit 3"};
    child_process three(loop, exits);
    const auto status = co_await three.wait();
    REQUIRE(status->code == 3);
    const std::vector<std::string> sleeps{"sleep", "1000"};
    child_process sleeper(loop, sleeps);
    sleeper.kill(SIGTERM);
    const auto killed = co_await sleeper.wait();
    REQUIRE(killed->signal == SIGTERM);
    const std::vector<std::string> missing{"/nonexistent/program"};
    REQUIRE_THROWS_WITH(child_process(loop, missing), Catch::Contains("/nonexistent/program"));
  };
  run(body());
}

TEST_CASE("a connection that is closed with unread bytes is a failure to its peer") {
  const auto body = []() -> task<> {
    auto streams = co_await test::connect_pair();
    const auto written = co_await streams.client.write_all("never read");
    REQUIRE(written);
    streams.server.close();
    std::array<std::byte, 16> buffer;
    const auto reset = co_await streams.client.read_some(buffer);
    REQUIRE(reset.error() == std::errc::connection_reset);
  };
  run(body());
}
