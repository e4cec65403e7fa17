// Starting servers from C.
#include <signal.h>

#include <berth/berth.h>
#include <berth/liveness/process.hpp>

#include "c_interface/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace c_interface_test;

namespace {

volatile sig_atomic_t children_seen = 0;
void see_child(int) { children_seen = 1; }

}  // namespace

TEST_CASE("C gets the server that is there, or the one that it starts; handlers stay") {
  workspace at;
  struct sigaction mine = {}, after = {};
  mine.sa_handler = see_child;
  sigaction(SIGCHLD, &mine, nullptr);
  const char* const command[] = {PM_SERVER, "--config-dir", at.here.c_str(), nullptr};
  berth_record* server = nullptr;
  const auto status = berth_ensure(at.where.get(), command, nullptr, 20000, &server);
  INFO(says());
  REQUIRE(status == BERTH_DONE);
  const found first(server);
  sigaction(SIGCHLD, nullptr, &after);
  REQUIRE(after.sa_handler == see_child);

  const char* const never[] = {"/nonexistent", nullptr};
  REQUIRE(berth_ensure(at.where.get(), never, "0.0.1", 20000, &server) == BERTH_DONE);
  const found again(server);
  REQUIRE(berth_record_pid(again.get()) == berth_record_pid(first.get()));

  ::kill(static_cast<pid_t>(berth_record_pid(first.get())), SIGTERM);
  const auto ended = [&] {
    const auto now = berth::status_of_process(berth_record_pid(first.get()));
    return now.state != berth::process_state::running;
  };
  REQUIRE(test::eventually(ended));
  mine.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &mine, nullptr);
}

TEST_CASE("a start that fails has its status in C, and the end of its log") {
  workspace at;
  berth_record* server = nullptr;
  const char* const fails[] = {"sh", "-c", "echo no luck; exit 4", nullptr};
  REQUIRE(berth_ensure(at.where.get(), fails, nullptr, 20000, &server) == BERTH_START_FAILED);
  REQUIRE_THAT(says(), Catch::Contains("exited with status 4") && Catch::Contains("no luck"));
  const char* const hangs[] = {"sleep", "60", nullptr};
  REQUIRE(berth_ensure(at.where.get(), hangs, nullptr, 50, &server) == BERTH_TIMED_OUT);
  REQUIRE(server == nullptr);
}
