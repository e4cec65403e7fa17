// Child processes that have ended, and their pids.
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include <berth/coro/deadline.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/event_loop.hpp>

#include "runtime_system/namespaces.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace runtime_system_test;
using namespace std::chrono_literals;

TEST_CASE("a child that is given up is collected when it ends") {
  const auto collected = [](int pid) -> task<> {
    siginfo_t unused{};
    const auto hung = std::chrono::steady_clock::now() + 30s;
    while (std::chrono::steady_clock::now() < hung) {
      if (::waitid(P_PID, static_cast<id_t>(pid), &unused, WEXITED | WNOHANG | WNOWAIT) != 0)
        co_return;
      (void)co_await sleep_for(1ms);
    }
    FAIL("the child is a zombie");
  };
  const auto body = [&collected]() -> task<> {
    const auto here = co_await current_context();
    event_loop& loop = event_loop::of(here);
    const std::vector<std::string> command{"cat"};
    child_options options;
    options.input = child_options::stream::piped;
    for (const bool by_leave : {false, true}) {
      int pid = 0;
      {
        child_process child(loop, command, options);
        pid = child.pid();
        const auto impatient = co_await child.wait(deadline::after(1ms));
        CHECK(impatient.timed_out());
        if (by_leave) {
          child.leave();
          CHECK_THROWS_AS(child.pid(), error);
          CHECK_THROWS_AS(child.kill(SIGTERM), error);
          CHECK_THROWS_AS(child.kill_session(SIGTERM), error);
        }
      }
      co_await collected(pid);
    }
  };
  run(body());
}

#ifdef __linux__
TEST_CASE("with a process that has the pid of a child which has ended", "[.pid]") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    const std::vector<std::string> brief{"true"}, lasting{"cat"};
    child_options options;
    options.input = child_options::stream::piped;
    child_process ended(event_loop::of(here), brief);
    const int pid = ended.pid();
    const auto status = co_await ended.wait();
    REQUIRE(status);
    std::ofstream("/proc/sys/kernel/ns_last_pid") << pid - 1;
    child_process other(event_loop::of(here), lasting, options);
    REQUIRE(other.pid() == pid);
    ended.kill(SIGKILL);
    ended.kill_session(SIGKILL);
    CHECK_THROWS_WITH(other.kill(9999), Catch::Contains("signal"));
    other.input.reset();
    const auto by_itself = co_await other.wait();
    REQUIRE(by_itself);
    CHECK(by_itself->signal == 0);
  };
  run(body());
}

TEST_CASE("nothing is signalled by the pid of a child that has ended") {
  run_in_namespaces("-rpfm", "mount -t proc proc /proc && echo 100 > /proc/sys/kernel/ns_last_pid",
                    "[.pid]");
}
#endif
