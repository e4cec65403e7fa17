// What clients see as servers come and go in a registry.
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include <berth/client/registry.hpp>
#include <berth/client/registry_resolver.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/scope.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/store/location.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace std::chrono_literals;

namespace {

/// The list of this user's servers in a directory of the test's own.
struct own_list {
  own_list() { ::setenv("BERTH_LIST_DIR", (directory.path() / "berth").c_str(), 1); }
  ~own_list() { ::unsetenv("BERTH_LIST_DIR"); }
  test::temporary_directory directory;
};

}  // namespace

TEST_CASE("the file system is a registry: a client sees servers come and go") {
  const own_list list;
  test::temporary_directory one, two;
  const auto body = [](std::filesystem::path first_at, std::filesystem::path second_at) -> task<> {
    const auto here = co_await current_context();
    file_registry files;
    registry_resolver known(here, files, "pm");
    const auto until = [] { return deadline::after(20s); };
    const auto serve = [](const std::filesystem::path& at) {
      const location where("pm", at);
      auto owned = std::make_unique<claim>(where, describe_this_process("127.0.0.1", 8080, "1"));
      REQUIRE(instance_list::held_entry(where).hold());
      return owned;
    };
    auto first = serve(first_at);
    auto changed = co_await known.changed(until());
    REQUIRE(changed);
    REQUIRE(known.all().size() == 1);
    auto second = serve(second_at);
    changed = co_await known.changed(until());
    REQUIRE(known.all().size() == 2);
    const auto asked = known.next();
    REQUIRE(known.next()->instance_id != asked->instance_id);
    known.failed(*asked);
    REQUIRE(known.next()->instance_id != asked->instance_id);
    first->remove();  // as one that is killed, it leaves its entry
    changed = co_await known.changed(until());
    REQUIRE(changed);
    REQUIRE(known.all().size() == 1);
    const auto none = co_await known.changed(deadline::after(1ms));
    REQUIRE(none.timed_out());
    co_await known.close();
  };
  run(body(one.path(), two.path()));
}

TEST_CASE("who waits for a change is told when the resolver closes") {
  const own_list list;
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    file_registry files;
    registry_resolver known(here, files, "pm");
    scope waiting(here);
    bool told = false;
    waiting.spawn(
        [](registry_resolver& of, bool& into) -> task<> {
          const auto changed = co_await of.changed();
          into = changed.cancelled();
        },
        std::ref(known), std::ref(told));
    co_await known.close();
    co_await waiting.join();
    REQUIRE(told);
  };
  run(body());
}
