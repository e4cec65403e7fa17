// Servers that were started on demand, while they run and when they end.
#include <signal.h>
#include <stdlib.h>

#include <chrono>
#include <thread>

#include <berth/discovery/port_file.hpp>
#include <berth/store/location.hpp>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/sanitized.hpp"

using namespace berth;
namespace fs = std::filesystem;

namespace {

/// A directory, and a list of instances of the test's own.
struct workspace {
  workspace() { ::setenv("BERTH_LIST_DIR", (list.path() / "berth").c_str(), 1); }
  ~workspace() {
    test::run({BERTH_COMMAND, "stop", "--kill", "--timeout", "5"}, here);
    ::unsetenv("BERTH_LIST_DIR");
  }
  test::ended shell(const std::string& script) const {
    return test::run({"/bin/sh", "-c", script}, here);
  }

  test::temporary_directory list, directory;
  fs::path here = fs::canonical(directory.path());
  location place{"pm", here / ".pm"};
};

bool runs(const std::string& words) { return test::run({"pgrep", "-f", "--", words}).status == 0; }

}  // namespace

TEST_CASE("the log of a started server is bounded while it runs") {
  workspace at;
  const auto started =
      at.shell(fmt::format("exec {} ensure -- {} announce --port 4711 -- sh -c "
                           "'while :; do head -c 100000 /dev/zero | tr \\\\0 x; sleep 0.01; done'",
                           BERTH_COMMAND, BERTH_COMMAND));
  INFO(started.err);
  REQUIRE(started.status == 0);
  const fs::path log = at.place.directory / "server.log";
  std::uintmax_t largest = 0;
  const auto has_rolled_twice = [&, first = fs::file_time_type()]() mutable {
    largest = std::max(largest, fs::file_size(log));
    std::error_code missing;
    const auto rolled = fs::last_write_time(log.string() + ".1", missing);
    if (missing) return false;
    if (first == fs::file_time_type()) first = rolled;
    return rolled != first;
  };
  REQUIRE(test::eventually(has_rolled_twice));
  REQUIRE(largest < 32u << 20);
  REQUIRE(fs::file_size(log.string() + ".1") <= 1u << 20);
}

TEST_CASE("with few descriptors a start ends in time, and leaves a server or nothing") {
  for (int descriptors = 5; descriptors <= 22; ++descriptors) {
    workspace at;
    const std::string marker = fmt::format("9{:05}{}", ::getpid() % 100000, descriptors);
    INFO(descriptors << " descriptors");
    const auto limited = [&](const std::string& command) {
      // UBSan's check of virtual tables opens a pipe, and takes it for a fault if it cannot.
      return at.shell(fmt::format(
          "ulimit -n {}; UBSAN_OPTIONS=halt_on_error=0 exec {} ensure --timeout 10 -- {}",
          descriptors, BERTH_COMMAND, command));
    };
    const auto started = limited(PM_SERVER);
    INFO(started.err);
    REQUIRE(started.status != 5);
    REQUIRE(read_live(at.place).has_value() == (started.status == 0));
    if (started.status == 0) {
      REQUIRE(test::run({"curl", "-sf", "--noproxy", "*", "--retry", "3", "--retry-all-errors",
                         started.out.substr(0, started.out.size() - 1) + "/health"})
                  .status == 0);
      REQUIRE(test::run({BERTH_COMMAND, "stop"}, at.here).status == 0);
    }
    const auto failed = limited("sh -c 'sleep " + marker + " & exit 3'");
    REQUIRE(failed.status == 1);
    REQUIRE(test::eventually([&] { return !runs("sleep " + marker); }));
  }
}

TEST_CASE("a server that finds another in its place ends with status 4") {
  workspace at;
  test::process first({PM_SERVER}, at.here);
  REQUIRE(test::eventually([&] { return read_live(at.place).has_value(); }));
  first.signal(SIGSTOP);
  fs::remove_all(at.place.directory);
  const auto early = test::run({PM_SERVER}, at.here);
  REQUIRE(early.status == 4);
  REQUIRE_THAT(early.err, Catch::Contains("its files were deleted or moved; find it with: lsof"));
  fs::remove_all(at.list.path() / "berth");
  test::process second({PM_SERVER}, at.here);
  REQUIRE(test::eventually([&] { return read_live(at.place).has_value(); }));
  first.signal(SIGCONT);
  const auto ended = first.wait();
  REQUIRE(ended.status == 4);
  REQUIRE_THAT(ended.err, Catch::Contains(fmt::format("(PID {})", second.pid())));
  REQUIRE(second.running());
}

TEST_CASE("a server follows its workspace when that is moved, and is listed there") {
  workspace at;
  const fs::path before = at.here / "before", after = at.here / "after";
  fs::create_directories(before / ".git");
  test::process first({PM_SERVER}, before);
  REQUIRE(test::eventually([&] { return read_live({"pm", before / ".pm"}).has_value(); }));
  fs::rename(before, after);
  fs::create_directories(before / ".git");
  test::process second({PM_SERVER}, before);
  REQUIRE(test::eventually([&] { return read_live({"pm", before / ".pm"}).has_value(); }));
  REQUIRE(test::eventually([&] {
    const auto listed = test::run({BERTH_COMMAND, "list"}, at.here).out;
    return listed.find((before / ".pm").string()) != std::string::npos &&
           listed.find((after / ".pm").string()) != std::string::npos;
  }));
  REQUIRE(test::eventually([&] {
    return first.err().find("its server is found in " + (after / ".pm").string()) !=
           std::string::npos;
  }));
  fs::remove_all(after / ".pm");
  REQUIRE(test::eventually([&] { return read_live({"pm", after / ".pm"}).has_value(); }));
  REQUIRE(read_live({"pm", after / ".pm"})->pid == static_cast<std::uint32_t>(first.pid()));
  REQUIRE(test::run({BERTH_COMMAND, "stop"}, after).status == 0);
  REQUIRE(first.wait().status == 0);
  REQUIRE(test::run({BERTH_COMMAND, "stop"}, before).status == 0);
  REQUIRE(second.wait().status == 0);
}

TEST_CASE("an interrupted ensure leaves a server that has published: others may have found it") {
  workspace at;
  const auto waits = fmt::format("while [ ! -e go ]; do sleep 0.01; done; exec {}", PM_SERVER);
  test::process starter({BERTH_COMMAND, "ensure", "--", "/bin/sh", "-c", waits}, at.here);
  const auto child_of = [](pid_t parent) {
    return test::run({"pgrep", "-P", std::to_string(parent)}).out;
  };
  const pid_t starter_pid = starter.pid();
  REQUIRE(test::eventually([&] { return !child_of(starter_pid).empty(); }));
  const auto supervisor = static_cast<pid_t>(std::stol(child_of(starter_pid)));
  REQUIRE(test::eventually([&] { return !child_of(supervisor).empty(); }));
  // The order to end the command is read after its server has published.
  ::kill(supervisor, SIGSTOP);
  starter.signal(SIGTERM);
  test::write_text(at.here / "go", "");
  REQUIRE(test::eventually([&] { return read_live(at.place).has_value(); }));
  ::kill(supervisor, SIGCONT);
  starter.wait();
  REQUIRE(read_live(at.place));
  REQUIRE(test::run({BERTH_COMMAND, "stop"}, at.here).status == 0);
}

TEST_CASE("an ensure that is interrupted as its command fails ends at once") {
  const auto marker = fmt::format("8{:06}", ::getpid() % 1000000);
  for (int round = 0; round < 20; ++round) {
    workspace at;
    const fs::path failing = at.here / "failing";
    test::process starter(
        {BERTH_COMMAND, "ensure", "--", "/bin/sh", "-c",
         fmt::format("sleep {} & sleep 0.1; touch {}; exit 7", marker, failing.string())},
        at.here);
    REQUIRE(test::eventually([&] { return fs::exists(failing); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(round));  // any moment will do
    starter.signal(SIGTERM);
    REQUIRE(test::eventually([&] { return !starter.running(); }, std::chrono::seconds(10)));
    REQUIRE(test::eventually([&] { return !runs("sleep " + marker); }));
  }
}

TEST_CASE("output beyond the file-size limit is an error, not the end of a server") {
  workspace at;
  const auto started =
      at.shell(fmt::format("ulimit -f 1; exec {} ensure -- {}", BERTH_COMMAND, PM_SERVER));
  INFO(started.err);
  REQUIRE(started.status == 0);
  const auto pid = read_live(at.place)->pid;
  const fs::path log = at.place.directory / "server.log";
  for (int turn = 0; turn < 200 && fs::file_size(log) < 1024; ++turn) {
    fs::remove(at.place.port_file());
    REQUIRE(test::eventually([&] { return read_live(at.place).has_value(); }));
  }
  fs::remove(at.place.port_file());
  REQUIRE(test::eventually([&] { return read_live(at.place).has_value(); }));
  REQUIRE(read_live(at.place)->pid == pid);
  if (test::sanitized) return;  // the thread sanitizer itself writes a larger file
  const auto refused = at.shell(
      fmt::format("(ulimit -f 0; {} doctor >output; echo status $?) 2>&1 | cat", BERTH_COMMAND));
  REQUIRE_THAT(refused.out, Catch::Contains("standard output") && Catch::Contains("ulimit -f") &&
                                Catch::Contains("status 1"));
}
