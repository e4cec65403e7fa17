// Repeated look-ups, and the hooks that observe them.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <berth/client/async.hpp>
#include <berth/client/look_until.hpp>
#include <berth/client/registry.hpp>
#include <berth/client/registry_watch.hpp>
#include <berth/client/resolver.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/yield.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

#include "registry/servers.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace registry_test;
using namespace std::chrono_literals;

namespace {

/// Lists one server more each time, and reports a change at once.
class growing_registry final : public registry {
 public:
  task<result<std::vector<record>>> list(std::string, deadline) override {
    listed_.push_back(server(std::to_string(listed_.size())));
    co_return listed_;
  }
  task<result<void>> changed(std::string, deadline) override { co_return result<void>(); }
  std::string reason() const override { return "a test says so"; }

 private:
  std::vector<record> listed_;
};

task<result<std::vector<record>>> wait_for_servers(registry& asked, std::size_t count,
                                                   deadline until) {
  registry_watch watch(asked, "pm");
  const auto list = [&asked, until] { return asked.list("pm", until); };
  const auto enough = [count](const result<std::vector<record>>& seen) {
    return seen && seen->size() >= count;
  };
  auto seen = co_await look_until(watch, list, enough, until);
  co_return seen;
}

/// Fails twice in the same words, then sees something, fails again, and then has seen enough.
struct looks {
  task<std::optional<std::chrono::nanoseconds>> look() {
    ++count;
    if (count == 1 || count == 2 || count == 4)
      throw error("no answer", std::make_error_code(std::errc::timed_out));
    (void)co_await yield();
    if (count == 5) co_return std::nullopt;
    co_return std::chrono::nanoseconds::zero();
  }
  int count = 0, watches = 0;
  std::vector<std::string> reports;
};

task<> keep_looking_until_enough(looks& seen, growing_registry& asked) {
  const auto make_watch = [&] {
    ++seen.watches;
    return registry_watch(asked, "pm");
  };
  const auto look = [&] { return seen.look(); };
  const auto report = [&](const std::string& refusal) { seen.reports.push_back(refusal); };
  co_await keep_looking(make_watch, look, report, retry_pauses{1ms, 1ms});
}

/// Counts how often it is asked, and finds every server dead.
class all_dead final : public liveness_strategy {
 public:
  verdict judge(const evidence&) const override {
    ++asked;
    return {liveness::dead, "a test says so"};
  }
  mutable std::atomic<int> asked = 0;
};

}  // namespace

TEST_CASE("a look is repeated until its predicate holds, for registries too") {
  growing_registry asked;
  const auto seen = run(wait_for_servers(asked, 3, deadline::never()));
  REQUIRE(seen);
  REQUIRE(seen->size() == 3);
  const auto late = run(wait_for_servers(asked, 1000000, deadline::after(20ms)));
  REQUIRE(late.timed_out());
}

TEST_CASE("a look that fails is tried again with a new watch, and reported once per text") {
  looks seen;
  growing_registry asked;
  run(keep_looking_until_enough(seen, asked));
  REQUIRE(seen.count == 5);
  REQUIRE(seen.watches == 3 + 1);
  REQUIRE(seen.reports == std::vector<std::string>{"no answer", "no answer"});
}

TEST_CASE("a stale file is judged once without and once under the lock") {
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  claim owned(where, server("a"));
  const all_dead strategy;
  const auto live = run(async::read_live(where, strategy));
  REQUIRE(live.absent());
  REQUIRE(strategy.asked == 2);
}

TEST_CASE("hooks of a client see each look and each change") {
  test::temporary_directory directory;
  const auto body = [](std::filesystem::path at) -> task<> {
    const auto here = co_await current_context();
    const location where("pm", at);
    client_hooks hooks;
    std::size_t looks = 0;
    std::vector<std::string> seen;
    hooks.resolving.add("count", [&](const location& asked) -> task<> {
      REQUIRE(asked.directory == at);
      ++looks;
      co_return;
    });
    hooks.resolved.add("fails", [](const std::optional<record>&) -> task<> {
      throw std::runtime_error("harmless");
      co_return;
    });
    hooks.resolved.add("note", [&](const std::optional<record>& now) -> task<> {
      seen.push_back(now ? now->version : "none");
      co_return;
    });
    resolver servers(here, where, default_liveness(), &hooks);
    std::optional<claim> owned(std::in_place, where, describe_this_process("127.0.0.1", 8080, "1"));
    auto changed = co_await servers.changed(deadline::after(20s));
    REQUIRE(changed);
    owned.reset();
    changed = co_await servers.changed(deadline::after(20s));
    REQUIRE(changed.absent());
    co_await servers.close();
    REQUIRE(looks >= 2);
    REQUIRE(seen == std::vector<std::string>{"1", "none"});
    REQUIRE(hooks.statistics.failures == 2);
  };
  run(body(directory.path()));
}
