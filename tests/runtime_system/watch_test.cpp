// Watched directories, and the kernel's limits on them.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string_view>

#include <berth/coro/deadline.hpp>
#include <berth/io/directory_watch.hpp>
#include <berth/io/event_loop.hpp>

#include "runtime_system/namespaces.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace runtime_system_test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

#ifdef __linux__
namespace {

/// Waits until `name`, or a change without a name, is told.
task<> until_told(directory_watch& watch, std::string_view name) {
  for (;;) {
    const auto changed = co_await watch.next(deadline::after(30s));
    REQUIRE(changed);
    if (changed->empty() || *changed == name) co_return;
  }
}

}  // namespace

TEST_CASE("a watch whose queue overflows says that something has changed") {
  const test::temporary_directory directory;
  const auto body = [](fs::path in) -> task<> {
    const auto here = co_await current_context();
    std::size_t most = 0;
    std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> most;
    std::ofstream one(in / "one"), other(in / "other");
    directory_watch watch(event_loop::of(here), in);
    for (std::size_t i = 0; i < most; ++i) {
      one << 'x' << std::flush;
      other << 'x' << std::flush;
    }
    test::write_text(in / "last", "");
    co_await until_told(watch, "last");
    test::write_text(in / "later", "");
    co_await until_told(watch, "later");
  };
  run(body(directory.path()));
}

TEST_CASE("a watched directory that is removed and made again is watched again") {
  const test::temporary_directory directory;
  const auto body = [](fs::path watched, bool moved) -> task<> {
    const auto here = co_await current_context();
    fs::create_directory(watched);
    directory_watch watch(event_loop::of(here), watched);
    if (moved)
      fs::rename(watched, watched.string() + "-moved");
    else
      fs::remove(watched);
    fs::create_directory(watched);
    co_await until_told(watch, "");
    test::write_text(watched / "new", "");
    bool told = false;
    while (!told) {
      const auto changed = co_await watch.next(deadline::after(30s));
      REQUIRE(changed);
      told = *changed == "new";
    }
    fs::remove_all(watched);
  };
  run(body(directory.path() / "watched", false));
  run(body(directory.path() / "watched", true));
}

TEST_CASE("with no inotify instance left", "[.instance]") {
  const test::temporary_directory directory;
  const auto body = [](fs::path in) -> task<> {
    const auto here = co_await current_context();
    CHECK_THROWS_WITH(directory_watch(event_loop::of(here), in),
                      Catch::Contains("fs.inotify.max_user_instances"));
  };
  run(body(directory.path()));
}

TEST_CASE("a watch that finds no inotify instance left names the limit to raise") {
  run_in_namespaces("-r", "echo 0 > /proc/sys/user/max_inotify_instances", "[.instance]");
}
#endif
