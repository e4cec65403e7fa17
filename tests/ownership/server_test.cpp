// Servers that ended, were halted or are replaced, and queries during a start.
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <optional>
#include <thread>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/store/location.hpp>

#include "ownership/other_process.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace ownership_test;

TEST_CASE("a refused start names no server that has ended") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  leave_stale(where);
  const claim without_record(where);
  try {
    const claim other(where);
    FAIL("two claims");
  } catch (const already_running& refusal) {
    REQUIRE_FALSE(refusal.server());
  }
}

TEST_CASE("a server that replaced a halted one publishes again") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  const other_process old([&] { return start(where, 1); });
  REQUIRE(old.result() == published);
  claim_options options;
  options.replaces = read_live(where)->instance_id;
  ::kill(old.pid(), SIGSTOP);
  claim replacement(where, numbered(2), options);
  REQUIRE(replacement.waits_for_owner());
  REQUIRE(replacement.intact());
  replacement.publish(numbered(3));
  REQUIRE(live_port(where) == 3);
  ::kill(old.pid(), SIGKILL);
  while (replacement.waits_for_owner()) REQUIRE(replacement.intact());
}

TEST_CASE("a replacement whose file is deleted loses to a server that takes the lock first") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  const other_process old([&] { return start(where, 1); });
  REQUIRE(old.result() == published);
  claim_options options;
  options.replaces = read_live(where)->instance_id;
  const other_process replacement([&] { return start(where, 2, options); });
  const auto halted_between_changes = [&] {
    if (live_port(where) != 2) return false;
    ::kill(replacement.pid(), SIGSTOP);
    ::waitpid(replacement.pid(), nullptr, WUNTRACED);
    if (lock_file::query(where.lock_file(), lock_range::mutation) == lock_state::free) return true;
    ::kill(replacement.pid(), SIGCONT);
    return false;
  };
  while (!halted_between_changes()) std::this_thread::yield();
  ::kill(old.pid(), SIGKILL);
  std::filesystem::remove(where.port_file());
  std::optional<claim> next;
  while (!next) {
    try {
      next.emplace(where, numbered(3));
    } catch (const already_running&) {
      // The killed server has not ended yet.
    }
  }
  ::kill(replacement.pid(), SIGCONT);
  REQUIRE(replacement.result() == refused);
  REQUIRE(live_port(where) == 3);
}

TEST_CASE("a query never makes a start fail") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  {
    const claim once(where);
  }
  const other_process asking([&]() -> int {
    for (;;) (void)lock_file::query(where.lock_file(), lock_range::owner);
  });
  for (int round = 0; round < 2000; ++round) REQUIRE_NOTHROW(claim(where));
}
