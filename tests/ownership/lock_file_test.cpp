// Starts and owners whose lock file is deleted at any moment.
#include <filesystem>
#include <functional>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/store/location.hpp>

#include "ownership/other_process.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "traced_process.hpp"

using namespace berth;
using namespace ownership_test;

namespace {

/// After each system call of a start, deletes the lock file, lets a second start run, and does
/// `then`; one of the two publishes.
void two_starts_without_lock_file(const location& where, const std::function<void()>& then,
                                  const std::function<void(const test::traced_process&)>& check) {
  for (const bool stale : {false, true}) {
    at_each_call(
        where, stale, [&] { return start(where, 1); },
        [&](test::traced_process& first) {
          std::filesystem::remove(where.lock_file());
          const other_process second([&] { return start(where, 2); });
          second.let_run();
          then();
          if (first.result() < 0) finish(first);
          REQUIRE(first.result() + second.result() == published + refused);
          check(first);
        });
  }
}

}  // namespace

TEST_CASE("of two starts one publishes, though the lock file is deleted at any moment") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  const auto nothing_else = [] {};
  two_starts_without_lock_file(where, nothing_else, [&](const test::traced_process& first) {
    REQUIRE(live_port(where) == (first.result() == published ? 1 : 2));
    REQUIRE_FALSE(has_temporary_file(where));
  });
}

TEST_CASE("of two starts one publishes, though the lock file and then the port file are deleted") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  const auto port_file = [&] { std::filesystem::remove(where.port_file()); };
  two_starts_without_lock_file(where, port_file, [](const test::traced_process&) {});
}

TEST_CASE("a cleaner never removes a live file, though the lock file is deleted at any moment") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  at_each_call(
      where, true, [&] { return read_live(where) ? 1 : 0; },
      [&](test::traced_process& cleaner) {
        std::filesystem::remove(where.lock_file());
        const other_process starter([&] { return start(where, 2); });
        starter.let_run();
        if (cleaner.result() < 0) finish(cleaner);
        REQUIRE(starter.result() == published);
        REQUIRE(live_port(where) == 2);
      });
}

TEST_CASE("an owner whose lock file is deleted while another starts is never refused by itself") {
  const own_list list;
  const claim_options options = GENERATE(claim_options(), listed());
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  bool more = true;
  for (int point = 0; more; ++point) {
    claim owner(where, numbered(1), options);
    std::filesystem::remove(where.lock_file());
    test::traced_process starter([] {}, [&] { return start(where, 2, options); });
    for (int call = 0; more && call < point; ++call) more = starter.next_call();
    INFO("after system call " << point << " (number " << starter.call() << ")");
    // Whoever holds the mutation lock is waited for, and here it is halted.
    if (lock_file::query(where.lock_file(), lock_range::mutation) != lock_state::held)
      REQUIRE_NOTHROW(owner.publish(numbered(1)));
    if (starter.result() < 0) finish(starter);
    REQUIRE(starter.result() == refused);
    REQUIRE_NOTHROW(owner.publish(numbered(1)));
    REQUIRE(owner.intact());
    REQUIRE(live_port(where) == 1);
  }
}

TEST_CASE("what a start leaves that is killed after its lock file was deleted is removed") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  at_each_call(
      where, false, [&] { return start(where, 1); },
      [&](test::traced_process& killed) {
        std::filesystem::remove(where.lock_file());
        killed.kill();
        const claim next(where, numbered(2));
        REQUIRE_FALSE(has_temporary_file(where));
      });
}
