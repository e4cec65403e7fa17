// Starts and servers whose directory is deleted or moved.
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include <berth/discovery/claim.hpp>
#include <berth/store/location.hpp>

#include "ownership/other_process.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "traced_process.hpp"

using namespace berth;
using namespace ownership_test;

TEST_CASE("a directory deleted at any moment of a start fails no start") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  at_each_call(
      where, false, [&] { return start(where, 1); },
      [&](test::traced_process& first) {
        const bool ended = first.result() >= 0;
        std::filesystem::remove_all(where.directory);
        if (ended) return;
        finish(first);
        REQUIRE(first.result() == published);
      });
}

TEST_CASE("a claim makes its directory anew, but not without the directory above it") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / "workspace" / ".pm");
  claim owner(where, numbered(1));
  REQUIRE(owner.intact());
  std::filesystem::remove_all(where.directory);
  REQUIRE_FALSE(owner.intact());
  owner.publish(numbered(1));
  REQUIRE(owner.intact());
  REQUIRE(live_port(where) == 1);

  std::filesystem::remove_all(where.directory.parent_path());
  REQUIRE_THROWS_AS(owner.publish(numbered(1)), workspace_gone);
  REQUIRE_FALSE(std::filesystem::exists(where.directory.parent_path()));
  std::filesystem::create_directory(where.directory.parent_path());
  REQUIRE_THROWS_AS(owner.publish(numbered(1)), workspace_gone);
  REQUIRE_FALSE(std::filesystem::exists(where.directory));
}

TEST_CASE("a start waits for the server whose directory was deleted, and is refused") {
  const own_list list;
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  claim owner(where, numbered(1), listed());
  for (int round = 0; round < 20; ++round) {
    std::filesystem::remove_all(where.directory);
    const other_process starter([&] { return start(where, 2, listed()); });
    while (round % 2 && !std::filesystem::exists(where.lock_file())) std::this_thread::yield();
    REQUIRE_FALSE(owner.intact());
    REQUIRE_NOTHROW(owner.publish(numbered(1)));
    REQUIRE(starter.result() == refused);
    REQUIRE(owner.intact());
    REQUIRE(live_port(where) == 1);
  }
}

TEST_CASE("a start is refused in the place of a server that cannot publish again by now") {
  const own_list list;
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  std::optional<claim> owner(std::in_place, where, numbered(1), listed());
  std::filesystem::remove_all(where.directory);
  try {
    const claim other(where);
    FAIL("two claims");
  } catch (const already_running& refusal) {
    REQUIRE_FALSE(refusal.server());
  }
  owner->publish(numbered(1));
  REQUIRE(owner->intact());
  std::filesystem::remove_all(where.directory);
  owner.reset();
  const claim next(where, numbered(2), listed());
  REQUIRE(live_port(where) == 2);
}

TEST_CASE("of a start and a server whose directory is deleted at any moment, one publishes") {
  const own_list list;
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  at_each_call(
      where, false, [&] { return start(where, 2, listed()); },
      [&](test::traced_process& starter) {
        if (starter.result() == published) return;
        std::filesystem::remove_all(where.directory);
        if (instance_list::find_held(where)) {
          finish(starter);
          REQUIRE(starter.result() == published);
          return;
        }
        claim owner(where, numbered(1), listed());
        std::filesystem::remove_all(where.directory);
        const other_process again([&] { return start(where, 3, listed()); });
        again.let_run();
        REQUIRE_NOTHROW(owner.publish(numbered(1)));
        finish(starter);
        REQUIRE(starter.result() == refused);
        REQUIRE(again.result() == refused);
        REQUIRE(live_port(where) == 1);
      });
}

TEST_CASE(
    "a server of a workspace that was moved goes on there, and another starts at the old place") {
  const own_list list;
  const test::temporary_directory directory;
  const auto old_place = directory.path() / "project", new_place = directory.path() / "moved";
  const location where("pm", old_place / ".pm");
  // Forked before there is an owner whose files it would share.
  const other_process starter([&] {
    while (!std::filesystem::exists(new_place) || !std::filesystem::exists(old_place))
      std::this_thread::yield();
    return start(where, 2, listed());
  });
  std::filesystem::create_directory(old_place);
  claim owner(where, numbered(1), listed());
  std::filesystem::rename(old_place, new_place);
  std::filesystem::create_directory(old_place);
  while (!std::filesystem::exists(where.lock_file())) std::this_thread::yield();
  REQUIRE_FALSE(owner.intact());
  owner.publish(numbered(3));
  REQUIRE(owner.where().directory == new_place / ".pm");
  REQUIRE(owner.intact());
  REQUIRE(starter.result() == published);
  REQUIRE(live_port(owner.where()) == 3);
  REQUIRE(live_port(where) == 2);
  REQUIRE(instance_list::live("pm").size() == 2);
  std::filesystem::remove_all(new_place / ".pm");
  REQUIRE_FALSE(owner.intact());
  owner.publish(numbered(4));
  REQUIRE(live_port(owner.where()) == 4);
  owner.remove();
  REQUIRE(instance_list::live("pm").size() == 1);
}
