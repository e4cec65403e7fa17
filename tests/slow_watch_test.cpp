// On a busy machine close(2) of an inotify instance takes seconds. Here it takes until the test
// lets it end.
#include <sys/syscall.h>
#include <unistd.h>

#include <berth/client/lookup_watch.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/directory_watch.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/service/publication.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::mutex closing;
std::condition_variable closing_may_end;
bool is_slow = false, waited_in_vain = false;
int begun = 0;

/// While it exists, closing an inotify instance takes until its end, or twenty seconds.
class slow_close {
 public:
  slow_close() {
    const std::scoped_lock lock(closing);
    is_slow = true;
    waited_in_vain = false;
    begun = 0;
  }
  slow_close(const slow_close&) = delete;
  slow_close& operator=(const slow_close&) = delete;
  ~slow_close() {
    const std::scoped_lock lock(closing);
    is_slow = false;
    closing_may_end.notify_all();
  }

  int closings() const {
    const std::scoped_lock lock(closing);
    return begun;
  }
  bool in_vain() const {
    const std::scoped_lock lock(closing);
    return waited_in_vain;
  }

  static void wait() {
    std::unique_lock lock(closing);
    if (!is_slow) return;
    ++begun;
    if (!closing_may_end.wait_for(lock, 20s, [] { return !is_slow; })) waited_in_vain = true;
  }
};

bool is_inotify(int descriptor) {
  char target[64];
  const std::string name = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = ::readlink(name.c_str(), target, sizeof target);
  return length > 0 &&
         std::string_view(target, static_cast<std::size_t>(length)) == "anon_inode:inotify";
}

struct workspace {
  test::temporary_directory directory;
  location where{"pm", directory.path() / ".pm"};
  workspace() {
    fs::create_directory(directory.path() / "run");
    fs::permissions(directory.path() / "run", fs::perms::owner_all);
    ::setenv("BERTH_LIST_DIR", (directory.path() / "run").c_str(), 1);
  }
};

}  // namespace

extern "C" int close(int descriptor) {
  if (is_inotify(descriptor)) slow_close::wait();
  return static_cast<int>(::syscall(SYS_close, descriptor));
}

TEST_CASE("a loop runs on while its inotify instance is being closed") {
  const test::temporary_directory directory;
  const auto body = [](const fs::path& watched) -> task<> {
    const auto here = co_await current_context();
    slow_close slow;
    {
      const directory_watch watch(event_loop::of(here), watched);
    }
    while (slow.closings() == 0) {
      (void)co_await sleep_for(1ms);
    }
    REQUIRE_FALSE(slow.in_vain());
  };
  run(body(directory.path()));
}

TEST_CASE("a look-up keeps its inotify instance when its directory is made again") {
  const workspace at;
  const auto body = [](const location& where) -> task<> {
    const auto here = co_await current_context();
    fs::create_directory(where.directory);
    lookup_watch watch(event_loop::of(here), where);
    slow_close slow;
    for (int round = 0; round < 3; ++round) {
      fs::remove_all(where.directory);
      const auto gone = co_await watch.changed();
      REQUIRE(gone);
      fs::create_directory(where.directory);
      const auto back = co_await watch.changed();
      REQUIRE(back);
    }
    REQUIRE(slow.closings() == 0);
  };
  run(body(at.where));
}

TEST_CASE("a deleted directory is published again while an inotify instance is being closed") {
  const workspace at;
  const auto body = [](const location& where) -> task<> {
    const auto here = co_await current_context();
    auto published = co_await publication::publish(where, describe_this_process("::1", 1, "1"));
    slow_close slow;
    scope keeping(here);
    keeping.spawn(published.keep([](const error&, const already_running*) {}));
    for (int round = 0; round < 5; ++round) {
      fs::remove_all(where.directory);
      const auto give_up = deadline::after(here.loop->now(), 10s);
      bool found = false;
      while (!found && !give_up.passed(here.loop->now())) {
        (void)co_await sleep_for(1ms);
        found = read_live(where).has_value();
      }
      REQUIRE(found);
    }
    keeping.cancel();
    co_await keeping.join();
    REQUIRE_FALSE(slow.in_vain());
  };
  run(body(at.where));
}
