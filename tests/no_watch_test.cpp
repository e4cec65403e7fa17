// Where the system has no inotify instance left, whoever waits looks now and then. A user namespace
// has limits of its own, so that only the processes of a test meet them.
#include <signal.h>

#include <berth/client/async.hpp>
#include <berth/client/registry.hpp>
#include <berth/client/resolver.hpp>
#include <berth/coro/scope.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/liveness/this_process.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// The same command in a user namespace without any inotify instance.
std::vector<std::string> without_inotify(std::vector<std::string> command) {
  command.insert(command.begin(),
                 {"unshare", "-r", "sh", "-c",
                  R"(echo 0 > /proc/sys/user/max_inotify_instances && exec "$@")", "sh"});
  return command;
}

bool can_be_without_inotify() { return test::run(without_inotify({"true"})).status == 0; }

struct workspace {
  test::temporary_directory directory;
  location where{"pm", directory.path() / ".pm"};
  std::map<std::string, std::string> environment{{"BERTH_LIST_DIR", directory.path() / "run"}};
  workspace() { fs::create_directory(directory.path() / "run"); }
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("without inotify a client still waits for a server to come and to go, and says so once") {
  if (!can_be_without_inotify()) return;
  workspace at;
  test::process waiting(without_inotify({BERTH_COMMAND, "wait", "--timeout", "20"}),
                        at.directory.path());
  REQUIRE(test::eventually([&] { return count(waiting.err(), "looking every 100 ms") == 1; }));
  test::process server({PM_SERVER}, at.directory.path());
  const auto found = waiting.wait();
  REQUIRE(found.status == 0);
  REQUIRE(found.out == url_of(*read_live(at.where)) + "\n");
  REQUIRE(count(found.err, "\n") == 1);
  REQUIRE(
      test::run(without_inotify({BERTH_COMMAND, "stop", "--timeout", "20"}), at.directory.path())
          .status == 0);
}

TEST_CASE("without inotify a server can be started on demand, and comes back when it is deleted") {
  if (!can_be_without_inotify()) return;
  workspace at;
  const auto started =
      test::run(without_inotify({BERTH_COMMAND, "ensure", "--timeout", "20", "--", PM_SERVER}),
                at.directory.path(), at.environment);
  INFO(started.err);
  REQUIRE(started.status == 0);
  const auto before = read_live(at.where);
  REQUIRE(before);
  fs::remove(at.where.port_file());
  REQUIRE(test::eventually([&] { return read_live(at.where) == before; }));
  REQUIRE(test::run({BERTH_COMMAND, "stop", "--timeout", "20"}, at.directory.path()).status == 0);
}

TEST_CASE("without inotify list --watch tells what comes and what goes") {
  if (!can_be_without_inotify()) return;
  workspace at;
  test::process watching(without_inotify({BERTH_COMMAND, "list", "--watch"}), at.directory.path(),
                         at.environment);
  test::process server({PM_SERVER}, at.directory.path(), at.environment);
  REQUIRE(test::eventually([&] { return count(watching.out(), "live ") == 1; }));
  server.signal(SIGKILL);
  REQUIRE(test::eventually([&] { return count(watching.out(), "gone ") == 1; }));
  REQUIRE(count(watching.err(), "looking every 100 ms") == 1);
}

TEST_CASE("within a process without inotify", "[.within]") {
  workspace at;
  const auto body = [](workspace& used) -> task<> {
    const auto here = co_await current_context();
    resolver servers(here, used.where);
    const auto none = co_await servers.changed(deadline::after(300ms));
    REQUIRE(none.timed_out());
    claim owned(used.where, describe_this_process("127.0.0.1", 8080, "1"));
    const auto live = co_await servers.live(deadline::after(20s));
    REQUIRE(live);
    co_await servers.close();

    file_registry files;
    const auto listed = co_await files.list("pm", deadline::after(20s));
    REQUIRE(listed);
    const auto changed = co_await files.changed("pm", deadline::after(20s));
    REQUIRE(changed);
  };
  run(body(at));
}

TEST_CASE("without inotify resolvers and registries look now and then") {
  if (!can_be_without_inotify()) return;
  const workspace at;
  const auto itself = fs::read_symlink("/proc/self/exe").string();
  const auto ended =
      test::run(without_inotify({itself, "[.within]"}), at.directory.path(), at.environment);
  INFO(ended.out << ended.err);
  REQUIRE(ended.status == 0);
}
