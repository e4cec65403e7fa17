// `ensure` with every one of its system calls as the last before SIGKILL.
#include <berth/client/ensure.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/event_loop.hpp>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "traced_process.hpp"

using namespace berth;

namespace {

/// The processes of this workspace: each has its directory among its arguments.
std::string processes_of(const location& where) {
  return test::run({"pgrep", "-f", "-a", "--", where.directory.string()}).out;
}

int ensure_there(const location& where) {
  const std::vector<std::string> command = {PM_SERVER, "--config-dir", where.directory.string()};
  return run(ensure(where, command)) ? 0 : 1;
}

}  // namespace

TEST_CASE("killed after any system call of ensure: no stray process, the next caller succeeds") {
  int point = 0;
  for (bool more = true; more; ++point) {
    const test::temporary_directory directory;
    const location where("pm", directory.path());
    test::traced_process starting([] {}, [&] { return ensure_there(where); });
    for (int call = 0; more && call <= point; ++call) more = starting.next_call();
    INFO("system call " << point + 1 << " (number " << starting.call() << ")");
    starting.kill();
    // Either the server has published, and is found, or no process of it is left.
    REQUIRE(test::eventually([&] { return read_live(where) || processes_of(where).empty(); }));
    REQUIRE(ensure_there(where) == 0);
    const auto server = read_live(where);
    REQUIRE(server);
    REQUIRE(test::run({BERTH_COMMAND, "--config-dir", directory.path().string(), "stop",
                       "--timeout", "20"})
                .status == 0);
    REQUIRE(test::eventually([&] { return processes_of(where).empty(); }));
  }
  WARN("ensure: " << point - 1 << " system calls, each the last one");
}
