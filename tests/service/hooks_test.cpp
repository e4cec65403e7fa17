// When hooks are called, and what happens if one fails.
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <berth/client/async.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/service/service.hpp>
#include <berth/store/location.hpp>

#include "service/running_server.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace service_test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("hooks are called in order, awaited, and may add to what is published") {
  test::temporary_directory directory;
  std::vector<std::string> order;
  service told("told", "1");
  drain_times times;
  times.quiet = 1ms;
  told.set_drain_times(times);
  const auto note = [](std::vector<std::string>& into, std::string name) -> task<> {
    (void)co_await sleep_for(1ms);
    into.push_back(std::move(name));
  };
  auto& hooks = told.hooks();
  hooks.configured.add(
      "a", [&](server_settings&, const location&) { return note(order, "configured"); });
  hooks.bound.add("a", [&](const endpoint&) { return note(order, "bound"); });
  hooks.publishing.add("late", [&](record&) { return note(order, "publishing late"); });
  hooks.publishing.add(
      "early",
      [&](record& made) {
        made.metadata["role"] = "test";
        return note(order, "publishing early");
      },
      10);
  const auto removed =
      hooks.publishing.add("removed", [&](record&) { return note(order, "never"); });
  hooks.publishing.remove(removed);
  hooks.published.add("a", [&](const record&) { return note(order, "published"); });
  hooks.ready.add("throws", []() -> task<> {
    throw std::runtime_error("not stopping");
    co_return;
  });
  hooks.ready.add("a", [&] { return note(order, "ready"); });
  hooks.draining.add("a", [&](stop_reason) { return note(order, "draining"); });
  hooks.unpublished.add("a", [&] { return note(order, "unpublished"); });
  hooks.stopped.add("a", [&] { return note(order, "stopped"); });
  const auto body = [](service& served, fs::path at) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    service::overrides given;
    given.config_dir = at;
    tasks.spawn(served.serve(given));
    auto found = co_await async::wait_live(location("told", at));
    REQUIRE(found->metadata.at("role") == "test");
    served.stop();
    co_await tasks.join();
  };
  run(body(told, directory.path()));
  const std::vector<std::string> expected{"configured",      "bound",       "publishing early",
                                          "publishing late", "published",   "ready",
                                          "draining",        "unpublished", "stopped"};
  REQUIRE(order == expected);
}

TEST_CASE(
    "a hook that takes too long is cancelled and named; before publishing it stops the start") {
  test::temporary_directory directory;
  service slow("slow", "1");
  bool cancelled = false;
  slow.hooks().bound.add(
      "sleeper",
      [&](const endpoint&) -> task<> {
        const auto slept = co_await sleep_for(1h);
        cancelled = !slept;
      },
      0, 20ms);
  service::overrides given;
  given.config_dir = directory.path();
  REQUIRE_THROWS_WITH(
      run(slow.serve(given)),
      "hook \"sleeper\" at \"bound\" failed: it took longer than 20 ms, and was cancelled");
  REQUIRE(cancelled);
}

TEST_CASE("a service judges who was there before by the strategy that it is given") {
  test::temporary_directory directory;
  const location where("judge", directory.path());
  record other = describe_this_process("127.0.0.1", 1, "1");
  other.lock.clear();
  test::write_text(where.port_file(), format_record(other));
  service::overrides given;
  given.config_dir = directory.path();
  service refused("judge", "1");
  REQUIRE_THROWS_AS(run(refused.serve(given)), already_running);
  // Nothing listens there: by its port, that server is dead.
  const connect_liveness by_port;
  service judging("judge", "1");
  judging.set_liveness(by_port);
  drain_times times;
  times.quiet = 1ms;
  judging.set_drain_times(times);
  judging.hooks().ready.add("stop", [&]() -> task<> {
    judging.stop();
    co_return;
  });
  REQUIRE_NOTHROW(run(judging.serve(given)));
}

TEST_CASE("a hook that throws before publishing stops the start, and is named") {
  test::temporary_directory directory;
  service refusing("refuse", "1");
  refusing.hooks().publishing.add("gatekeeper", [](record&) -> task<> {
    throw std::runtime_error("not today");
    co_return;
  });
  service::overrides given;
  given.config_dir = directory.path();
  REQUIRE_THROWS_WITH(run(refusing.serve(given)),
                      "hook \"gatekeeper\" at \"publishing\" failed: not today");
  REQUIRE_FALSE(fs::exists(directory.path() / "server.json"));
}
