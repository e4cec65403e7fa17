// A resolver knows the server from memory and reports changes.
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <tuple>
#include <utility>

#include <berth/client/resolver.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/io/event_loop.hpp>

#include "starting/workspace.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace starting_test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("a resolver knows the server from memory, and tells of the next one") {
  workspace at;
  const auto body = [](workspace& in) -> task<> {
    const auto here = co_await current_context();
    resolver servers(here, in.where);
    REQUIRE_FALSE(servers.current());
    std::optional<claim> owned(std::in_place, in.where, ours(1));
    const auto first = co_await servers.live(deadline::after(10s));
    REQUIRE(first->port == 1);
    REQUIRE(servers.current()->port == 1);
    owned->publish(ours(2));
    const auto second = co_await servers.changed(deadline::after(10s));
    REQUIRE(second->port == 2);
    owned->remove();
    const auto none = co_await servers.changed(deadline::after(10s));
    REQUIRE(none.absent());
    const auto nothing = co_await servers.changed(deadline::after(1ms));
    REQUIRE(nothing.timed_out());
    co_await servers.close();
  };
  run(body(at));
}

TEST_CASE("a resolver sees that a server was killed, though its directory stays as it was") {
  workspace at;
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  const auto body = [](workspace& in) -> task<> {
    const auto here = co_await current_context();
    resolver servers(here, in.where);
    const auto live = co_await servers.live(deadline::after(10s));
    ::kill(static_cast<pid_t>(live->pid), SIGKILL);
    const auto gone = co_await servers.changed(deadline::after(10s));
    REQUIRE(gone.absent());
    co_await servers.close();
  };
  run(body(at));
}

TEST_CASE("a resolver ends waiting when it is closed, and passes over a file that cannot be read") {
  workspace at;
  fs::create_directories(at.where.directory);
  fs::permissions(at.where.directory, fs::perms(0700));
  test::write_text(at.where.port_file(), "{ invalid json");
  const auto body = [](workspace& in) -> task<> {
    const auto here = co_await current_context();
    resolver servers(here, in.where);
    const auto close_soon = [](resolver& of) -> task<> {
      (void)co_await sleep_for(20ms);
      co_await of.close();
    };
    auto both = co_await when_all(servers.changed(), close_soon(servers));
    REQUIRE(std::get<0>(both).cancelled());
  };
  run(body(at));
}
