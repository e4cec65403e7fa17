// The asynchronous functions, and waiting for servers.
#include <chrono>
#include <filesystem>
#include <tuple>

#include <berth/client/async.hpp>
#include <berth/client/lookup_watch.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/store/location.hpp>

#include "conformance/place.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace conformance_test;
namespace fs = std::filesystem;

namespace {

task<> use_async(location where) {
  auto none = co_await async::read_live(where);
  REQUIRE(none.absent());
  const auto no_file = co_await async::examine(where);
  REQUIRE(no_file.absent());
  auto owned = co_await async::publish(where, ours(1));
  claim mine = std::move(owned).value();
  for (int i = 0; i < 3; ++i) {  // from the pool first, from memory then
    auto found = co_await async::read_live(where);
    REQUIRE(found->port == 1);
    auto whole = co_await async::read(where);
    REQUIRE(whole->port == 1);
  }
  const auto again = co_await async::publish(mine, ours(2));
  REQUIRE(again);
  auto seen = co_await async::wait_live(where);
  REQUIRE(seen->port == 2);
  const auto removed = co_await async::remove(mine);
  REQUIRE(removed);
  const auto gone = co_await async::wait_gone(where);
  REQUIRE(gone);
  const auto late = co_await async::wait_live(where, deadline::at(steady_time::min()));
  REQUIRE(late.timed_out());
}

}  // namespace

TEST_CASE("the coroutine face does what the synchronous one does") {
  place at;
  run(use_async(at.where));
  write_foreign(at, no_process);
  const auto body = [](location where) -> task<> {
    const auto found = co_await async::read_live(where);
    REQUIRE(found.absent());
  };
  run(body(at.where));
  REQUIRE_FALSE(fs::exists(at.file));
}

TEST_CASE("a lookup watch passes over files that do not matter") {
  place at;
  const auto body = [](location where) -> task<> {
    const auto here = co_await current_context();
    lookup_watch watch(event_loop::of(here), where);
    test::write_text(where.directory / "server.log", "noise");
    const auto noise = co_await watch.changed(deadline::after(std::chrono::milliseconds(50)));
    REQUIRE(noise.timed_out());
    test::write_text(where.port_file(), "");
    const auto matters = co_await watch.changed();
    REQUIRE(matters);
  };
  run(body(at.where));
}

TEST_CASE(
    "wait_live sees a server in a directory that takes the place of the one that it watches") {
  const auto body = [](location awaited) -> task<> {
    const auto replace = [](location at) -> task<claim> {
      // By now the other waits.
      for (int turn = 0; turn < 3; ++turn) (void)co_await sleep_for(std::chrono::milliseconds(2));
      fs::rename(at.directory, at.directory.string() + ".old");
      fs::create_directory(at.directory);
      fs::permissions(at.directory, fs::perms(0700));
      for (int turn = 0; turn < 3; ++turn) (void)co_await sleep_for(std::chrono::milliseconds(2));
      auto owned = co_await async::publish(at, ours(7));
      co_return std::move(owned).value();
    };
    const auto in_time = deadline::after(std::chrono::seconds(20));
    auto both = co_await when_all(async::wait_live(awaited, in_time), replace(awaited));
    REQUIRE(std::get<0>(both));
  };
  for (int round = 0; round < 20; ++round) {
    test::temporary_directory directory;
    const auto at = directory.path() / ".pm";
    fs::create_directory(at);
    run(body(location("pm", at)));
  }
}

TEST_CASE("wait_live sees a server that comes later, whenever the way to its directory is made") {
  const auto body = [](location awaited) -> task<> {
    const auto publish_later = [](location at) -> task<claim> {
      auto owned = co_await async::publish(at, ours(7));
      co_return std::move(owned).value();
    };
    const auto in_time = deadline::after(std::chrono::seconds(20));
    auto both = co_await when_all(async::wait_live(awaited, in_time), publish_later(awaited));
    REQUIRE(std::get<0>(both));
    REQUIRE(std::get<0>(both)->port == 7);
  };
  for (int round = 0; round < 200; ++round) {
    test::temporary_directory directory;
    run(body(location("pm", directory.path() / "a/b/c/d/e/f/g/h/.pm")));
  }
}
