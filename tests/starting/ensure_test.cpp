// Starting servers, and how a start fails.
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include <berth/discovery/port_file.hpp>
#include <berth/record/record.hpp>

#include "starting/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace starting_test;
namespace fs = std::filesystem;

namespace {

/// Whether berth has a process of its own between a server that was started there and its starter.
bool has_supervisor(const fs::path& directory) {
  std::istringstream pids(test::run({"pgrep", "-x", "berth-starter"}).out);
  for (std::string pid; std::getline(pids, pid);) {
    std::error_code gone;
    if (fs::read_symlink(fs::path("/proc") / pid / "cwd", gone) == directory) return true;
  }
  return false;
}

bool runs(const std::string& words) { return test::run({"pgrep", "-f", "--", words}).status == 0; }

}  // namespace

TEST_CASE("a command that is not there is an error that names it") {
  workspace at;
  const auto failed = at.ensure({}, {"/nonexistent/server"});
  REQUIRE(failed.status == 1);
  REQUIRE_THAT(failed.err, Catch::Contains("cannot start /nonexistent/server: No such file"));
  at.check_clean();
}

TEST_CASE("an invalid file that nobody locks keeps no server from being started") {
  workspace at;
  for (const std::string command : {"ensure", "replace"}) {
    fs::create_directories(at.where.directory);
    test::write_text(at.where.port_file(), "{");
    const auto started = at.berth({command, "--", PM_SERVER});
    INFO(command << started.err);
    REQUIRE(started.status == 0);
    REQUIRE(at.berth({"url"}).out == started.out);
    REQUIRE(at.berth({"stop"}).status == 0);
  }
}

TEST_CASE("a command that ends is an error with its status and the end of its log") {
  workspace at;
  test::write_text(at.here / "run", "for i in $(seq 30); do echo line $i; done; exit 3");
  const auto failed = at.ensure({}, {"sh", "run"});
  REQUIRE(failed.status == 1);
  REQUIRE_THAT(failed.err, Catch::Contains("sh exited with status 3 before it published " +
                                           at.where.port_file().string()) &&
                               Catch::Contains("\nline 11\n") && Catch::Contains("\nline 30\n") &&
                               !Catch::Contains("line 10\n"));
  const auto killed = at.ensure({}, {"sh", "-c", "echo new; kill -9 $$"});
  REQUIRE(killed.status == 1);
  REQUIRE_THAT(killed.err,
               Catch::Contains("was ended by signal 9") && Catch::EndsWith("ends:\nnew\n"));
  at.check_clean();
}

TEST_CASE("a command that never publishes is ended at the deadline, with its children, status 5") {
  workspace at;
  const std::string marker =
      "98" + std::to_string(::getpid());  // seconds, which nobody else sleeps
  const auto failed = at.ensure({"--timeout", "0.3"}, {"sh", "-c", "sleep " + marker + "; true"});
  REQUIRE(failed.status == 5);
  REQUIRE_THAT(failed.err, Catch::Contains("sh had not published " + at.where.port_file().string() +
                                           " in time, and was ended"));
  REQUIRE(test::eventually([&] { return !runs("sleep " + marker); }));
  at.check_clean();
}

TEST_CASE("a command that would publish elsewhere fails at once, and says where that is") {
  workspace at;
  const auto elsewhere = at.here / "elsewhere";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{PM_SERVER, "--config-dir", elsewhere.string()},
        {PM_SERVER, "--instance", "another"},
        {BERTH_COMMAND, "--config-dir", elsewhere.string(), "announce", "--port", "9"},
        {BERTH_COMMAND, "--instance", "another", "announce", "--port", "9"}}) {
    const auto failed = at.ensure({"--timeout", "60"}, command);
    REQUIRE(failed.status == 1);
    const auto named = command.back() == "another" || command[1] == "--instance"
                           ? at.where.directory / "another.json"
                           : elsewhere / "server.json";
    REQUIRE_THAT(failed.err, Catch::Contains("say to publish " + named.string()) &&
                                 Catch::Contains("waits for " + at.where.port_file().string()));
    REQUIRE_FALSE(fs::exists(elsewhere));
    at.check_clean();
  }
}

TEST_CASE("a command is told the directory and the instance that it publishes as") {
  workspace at;
  const auto directory = (at.here / "told").string();
  for (const std::vector<std::string>& command : {std::vector<std::string>{PM_SERVER},
                                                  {ECHO_SERVER},
                                                  {"sh", "-c", std::string("cd /; ") + PM_SERVER},
                                                  {BERTH_COMMAND, "announce", "--port", "9"}}) {
    INFO(command.front());
    const auto in = [&](std::vector<std::string> words) {
      words.insert(words.begin(), {"--config-dir", "told", "--instance", "a.b"});
      return at.berth(words);
    };
    std::vector<std::string> words = {"ensure", "--timeout", "60", "--"};
    words.insert(words.end(), command.begin(), command.end());
    REQUIRE(in(words).status == 0);
    REQUIRE(read_live(location("pm", directory, "a.b")));
    REQUIRE(in({"stop", "--timeout", "10"}).status == 0);
  }
}

TEST_CASE("what a started server starts in turn is not told to publish in its place") {
  workspace at;
  const auto report = (at.here / "environment").string();
  REQUIRE(at.ensure({}, {BERTH_COMMAND, "announce", "--port", "9", "--", "sh", "-c",
                         "env > " + report + ".new; mv " + report + ".new " + report +
                             "; exec sleep 1000"})
              .status == 0);
  REQUIRE(test::eventually([&] { return fs::exists(report); }));
  REQUIRE_THAT(test::read_text(report), !Catch::Contains("BERTH_PUBLISH"));
}

TEST_CASE("a launcher that puts its server into the background is followed") {
  workspace at;
  const std::string pm_server = PM_SERVER;
  for (const std::string& script :
       {std::string(pm_server + " & exit 0"), "setsid " + pm_server + " & exit 0",
        "(sleep 0.2; exec " + pm_server + ") > /dev/null 2>&1 &"}) {
    INFO(script);
    const auto started = at.ensure({"--timeout", "60"}, {"sh", "-c", script});
    REQUIRE(started.status == 0);
    REQUIRE(started.out == url_of(*read_live(at.where)) + "\n");
    REQUIRE_FALSE(has_supervisor(at.here));
    REQUIRE(at.berth({"stop", "--timeout", "10"}).status == 0);
  }
}

TEST_CASE("a launcher none of whose processes is left has failed, at once") {
  workspace at;
  const auto failed = at.ensure({"--timeout", "60"}, {"sh", "-c", "sleep 0.1 & exit 0"});
  REQUIRE(failed.status == 1);
  REQUIRE_THAT(failed.err, Catch::Contains("sh exited with status 0 before it published") &&
                               Catch::Contains("Is it a service made with berth?") &&
                               Catch::Contains("berth announce --port"));
  const std::string marker = "97" + std::to_string(::getpid());
  const auto refused =
      at.ensure({"--timeout", "60"}, {"sh", "-c", "setsid sleep " + marker + " & exit 3"});
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err, Catch::Contains("sh exited with status 3 before it published"));
  REQUIRE_FALSE(runs("sleep " + marker));
  at.check_clean();
}

TEST_CASE("whatever ends a start, no process of the command is left, in no session") {
  workspace at;
  const std::string marker = "96" + std::to_string(::getpid());
  // Of three processes, two are in sessions of their own, and one of those ignores SIGTERM.
  const std::string script = "run-" + marker;
  test::write_text(at.here / script, "setsid sh -c \"trap '' TERM; sleep " + marker +
                                         " & wait; sleep " + marker + "\" &\nsetsid sleep " +
                                         marker + " &\nsleep " + marker + "; true");
  const std::vector<std::string> command = {BERTH_COMMAND, "ensure", "--timeout", "100",
                                            "--",          "sh",     script};
  const auto count = [&] { return test::run({"pgrep", "-c", "-f", "--", "^sleep " + marker}).out; };
  for (const int signal : {SIGKILL, SIGINT, SIGTERM, SIGHUP}) {
    INFO(signal);
    test::process starting(command, at.here);
    REQUIRE(test::eventually([&] { return count() == "3\n"; }));
    starting.signal(signal);
    REQUIRE(starting.wait().status == 128 + signal);
    REQUIRE(test::eventually([&] { return count() == "0\n"; }));
    REQUIRE(test::eventually([&] { return !runs("sh " + script); }));
    at.check_clean();
  }
  REQUIRE(at.ensure({"--timeout", "0.5"}, {"sh", script}).status == 5);
  REQUIRE(count() == "0\n");
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
}

TEST_CASE("a server that crashes after it has published is started anew by the next caller") {
  workspace at;
  const auto first = at.ensure({}, {PM_SERVER});
  REQUIRE(first.status == 0);
  ::kill(static_cast<pid_t>(read_live(at.where)->pid), SIGKILL);
  REQUIRE(test::eventually([&] { return !read_live(at.where); }));
  const auto second = at.ensure({}, {PM_SERVER});
  REQUIRE(second.status == 0);
  REQUIRE(second.out == url_of(*read_live(at.where)) + "\n");
}
