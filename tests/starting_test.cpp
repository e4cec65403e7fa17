// Starting servers and what goes wrong with it, handing over, knowing them from memory, listing
// them.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <sstream>

#include <berth/base/unique_handle.hpp>
#include <berth/client/ensure.hpp>
#include <berth/client/resolver.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/record/started_at.hpp>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A directory, and a list of instances of the test's own.
struct workspace {
  workspace() { ::setenv("BERTH_LIST_DIR", (runtime.path() / "berth").c_str(), 1); }
  ~workspace() {
    test::run({BERTH_COMMAND, "stop", "--timeout", "10"}, here);
    ::unsetenv("BERTH_LIST_DIR");
  }
  test::ended berth(std::vector<std::string> words) const {
    words.insert(words.begin(), BERTH_COMMAND);
    return test::run(words, here);
  }
  test::ended ensure(std::vector<std::string> options, std::vector<std::string> command) const {
    options.insert(options.begin(), "ensure");
    options.push_back("--");
    options.insert(options.end(), command.begin(), command.end());
    return berth(options);
  }
  /// Nothing of a failed start is left but its log.
  void check_clean() const {
    REQUIRE_FALSE(read_live(where));
    for (const auto& entry : fs::directory_iterator(where.directory)) {
      const auto name = entry.path().filename().string();
      INFO(name);
      REQUIRE((name.starts_with("server.lock") || name == "server.log" || name == ".gitignore"));
    }
  }

  test::temporary_directory runtime, directory;
  fs::path here = fs::canonical(directory.path());
  location where{"pm", here / ".pm"};
};

record ours(std::uint16_t port) { return describe_this_process("127.0.0.1", port, "1"); }

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

TEST_CASE("a log that is a link, a FIFO or a device is refused at once and left alone") {
  workspace at;
  fs::create_directories(at.where.directory);
  fs::permissions(at.where.directory, fs::perms(0700));
  const auto log = at.where.directory / "server.log";
  const auto target = at.here / "target";
  test::write_text(target, "mine\n");
  const auto refused = [&](const std::string& reason) {
    const auto failed = at.ensure({"--timeout", "60"}, {PM_SERVER});
    REQUIRE(failed.status == 1);
    REQUIRE_THAT(failed.err, Catch::Contains("the log " + log.string() + " is " + reason));
    REQUIRE_FALSE(read_live(at.where));
    fs::remove(log);
  };
  fs::create_symlink("../target", log);
  refused("a symbolic link, which is not followed");
  REQUIRE(test::read_text(target) == "mine\n");
  REQUIRE(::mkfifo(log.c_str(), 0600) == 0);
  refused("not a regular file");
  REQUIRE(::mkfifo(log.c_str(), 0600) == 0);
  const unique_handle reader(::open(log.c_str(), O_RDONLY | O_NONBLOCK));
  refused("not a regular file");
  fs::create_directory(log);
  const auto directory = at.ensure({"--timeout", "60"}, {PM_SERVER});
  REQUIRE(directory.status == 1);
  fs::remove(log);
  fs::create_hard_link(target, log);
  refused("known by another name as well");
  REQUIRE(test::read_text(target) == "mine\n");
}

TEST_CASE("a log that the user names is no link and has no other name, but may be a device") {
  workspace at;
  const auto target = at.here / "target", log = at.here / "log";
  const auto ensure = [&](const fs::path& named) {
    return at.ensure({"--timeout", "60", "--log", named.string()}, {PM_SERVER});
  };
  const auto refused = [&](const std::string& reason) {
    const auto failed = ensure(log);
    REQUIRE(failed.status == 1);
    REQUIRE_THAT(failed.err, Catch::Contains("the log " + log.string() + " is " + reason));
    REQUIRE_FALSE(read_live(at.where));
    fs::remove(log);
  };
  test::write_text(target, "mine\n");
  fs::create_symlink(target, log);
  refused("a symbolic link, which is not followed");
  fs::create_symlink(at.here / "new", log);
  refused("a symbolic link, which is not followed");
  REQUIRE_FALSE(fs::exists(at.here / "new"));
  fs::create_hard_link(target, log);
  refused("known by another name as well");
  REQUIRE(test::read_text(target) == "mine\n");
  REQUIRE(ensure("/dev/null").status == 0);
  REQUIRE(at.berth({"stop", "--timeout", "20"}).status == 0);
  REQUIRE(ensure(log).status == 0);
  // The line may come a moment after the publication, which ends the wait.
  REQUIRE(test::eventually(
      [&] { return test::read_text(log).find("pm-server listening on") != std::string::npos; }));
}

TEST_CASE("a log that is empty because its file system is full is no riddle") {
  if (::geteuid() != 0) return;
  workspace at;
  const std::string script =
      "mount -t tmpfs -o size=64k,mode=755 none \"$1\" && cd \"$1\" && mkdir -m 700 .pm && "
      "touch .pm/server.lock .pm/server.log && chmod 600 .pm/* && "
      "{ cat /dev/zero >fill 2>/dev/null; "
      "exec " BERTH_COMMAND " ensure --timeout 30 -- sh -c 'echo why >&2; exit 1'; }";
  const auto full = test::run({"unshare", "-m", "sh", "-c", script, "sh", at.here}, at.here);
  INFO(full.err);
  if (full.err.find("unshare") != std::string::npos) return;
  REQUIRE(full.status == 1);
  REQUIRE_THAT(full.err, Catch::Contains("exited with status 1") &&
                             Catch::Contains("the file system of " + at.where.directory.string() +
                                             " is full"));
}

TEST_CASE("a server that was just started is not replaced for another exact version") {
  workspace at;
  REQUIRE(at.ensure({"--exact-version", "1.0.0"}, {PM_SERVER}).status == 0);
  const auto before = read_live(at.where)->instance_id;
  const auto refused = at.ensure({"--exact-version", "2.0"}, {PM_SERVER});
  REQUIRE(refused.status == 4);
  REQUIRE_THAT(refused.err, Catch::Contains("version 1.0.0") && Catch::Contains("version 2.0") &&
                                Catch::Contains("--per-version"));
  REQUIRE(read_live(at.where)->instance_id == before);

  ensure_options second;
  second.exact_version = "2.0";
  record server = *read_live(at.where);
  server.started_at = "2020-01-01T00:00:00Z";
  REQUIRE_NOTHROW(check_not_contested(at.where, server, second));
  server.started_at = rfc3339_now();
  REQUIRE_THROWS_AS(check_not_contested(at.where, server, second), version_contested);
  server.version = "2.0";
  REQUIRE_NOTHROW(check_not_contested(at.where, server, second));
}

TEST_CASE("--per-version runs versions side by side, as instances of their own") {
  workspace at;
  const auto announced = [](const std::string& version, const std::string& port) {
    return std::vector<std::string>{BERTH_COMMAND, "announce",  "--port",
                                    port,          "--version", version};
  };
  REQUIRE(at.ensure({"--per-version", "--exact-version", "1.0.0"}, {PM_SERVER}).status == 0);
  const auto second = at.ensure({"--per-version", "--exact-version", "2.0"}, announced("2.0", "9"));
  REQUIRE(second.out == "http://127.0.0.1:9\n");
  REQUIRE(at.ensure({"--per-version", "--exact-version", "2.0"}, {"false"}).out == second.out);
  REQUIRE(read_live(location("pm", at.where.directory, "server-1.0.0")));
  REQUIRE(read_live(location("pm", at.where.directory, "server-2.0")));
  for (const std::string instance : {"server-1.0.0", "server-2.0"})
    REQUIRE(at.berth({"--instance", instance, "stop", "--timeout", "10"}).status == 0);
  REQUIRE(at.ensure({"--per-version"}, {"false"}).status == 2);
}

TEST_CASE("the instance of a version has a plain name, and another for each version") {
  const location where("pm", "/nowhere");
  const auto name = [&](const std::string& version) {
    return location_for_version(where, version).instance;
  };
  REQUIRE(name("1.2.0-rc_1") == "server-1.2.0-rc_1");
  for (const std::string& odd :
       {std::string("1+a"), std::string("1/../a"), std::string(100, '1'), std::string("\n")})
    REQUIRE(is_plain_name(name(odd)));
  REQUIRE(name("1+a") != name("1-a"));
  REQUIRE(name(std::string(100, '1')) != name(std::string(101, '1')));
}

TEST_CASE("a server that cannot hand over is not replaced: refused at once, nothing changed") {
  workspace at;
  test::process announcing({BERTH_COMMAND, "announce", "--port", "9"}, at.here);
  REQUIRE(test::eventually([&] { return read_live(at.where).has_value(); }));
  const auto before = *read_live(at.where);
  const auto refused = at.berth({"replace", "--timeout", "60", "--", PM_SERVER});
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err,
               Catch::Contains("cannot hand over") && Catch::Contains("stop it first"));
  REQUIRE(*read_live(at.where) == before);
  REQUIRE_FALSE(fs::exists(at.where.directory / "server.log"));
  REQUIRE(at.berth({"stop", "--timeout", "10"}).status == 0);
  REQUIRE(announcing.wait().status == 0);
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

TEST_CASE("a version that will not do is replaced; one that a command cannot give is an error") {
  workspace at;
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  const auto before = read_live(at.where)->instance_id;
  REQUIRE(at.ensure({"--min-version", "0.9"}, {PM_SERVER}).status == 0);
  REQUIRE(read_live(at.where)->instance_id == before);
  const auto failed = at.ensure({"--min-version", "2.0"}, {PM_SERVER});
  REQUIRE(failed.status == 1);
  REQUIRE_THAT(failed.err,
               Catch::Contains("published version 1.0.0, which does not satisfy the caller"));
  at.check_clean();
}

TEST_CASE("a server elsewhere is never asked to stop by the pid that it has there") {
  workspace at;
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  const auto here = *read_live(at.where);
  record elsewhere = here;
  elsewhere.lock.clear();
  elsewhere.version = "0.1";
  for (const bool other_host : {false, true}) {
    elsewhere.origin = here.origin;
    if (other_host)
      elsewhere.origin.host_id = elsewhere.origin.boot_id = "another";
    else
      elsewhere.origin.pid_namespace += 1;
    const location where("other", at.here / (other_host ? "host" : "namespace"));
    fs::create_directory(where.directory);
    fs::permissions(where.directory, fs::perms(0700));
    test::write_text(where.port_file(), format_record(elsewhere));
    for (std::vector<std::string> words :
         {std::vector<std::string>{"stop"}, {"ensure", "--min-version", "1", "--", "true"}}) {
      words.insert(words.begin(), {"--app", "other", "--config-dir", where.directory.string()});
      const auto refused = at.berth(words);
      REQUIRE(refused.status == 1);
      REQUIRE_THAT(refused.err, Catch::Contains("on another machine or in another pid namespace"));
    }
  }
  REQUIRE(read_live(at.where)->instance_id == here.instance_id);
}

TEST_CASE("versions are compared by their numbers") {
  ensure_options at_least;
  at_least.minimum_version = "1.9";
  for (const std::string enough : {"1.9", "1.10", "1.9.1", "2", "1.9-rc"}) {
    INFO(enough);
    REQUIRE(will_do(enough, at_least));
  }
  for (const std::string too_old : {"1.8.9", "1", "0.99", "", "unknown"}) {
    INFO(too_old);
    REQUIRE_FALSE(will_do(too_old, at_least));
  }
}

TEST_CASE("the log is kept once more when it has grown too long") {
  workspace at;
  fs::create_directories(at.where.directory);
  fs::permissions(at.where.directory, fs::perms(0700));
  const auto log = at.where.directory / "server.log";
  test::write_text(log, std::string((1u << 20) + 1, 'x'));
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  REQUIRE(fs::file_size(log) < 1000);
  REQUIRE(fs::file_size(log.string() + ".1") == (1u << 20));
  struct stat status;
  REQUIRE(::stat(log.c_str(), &status) == 0);
  REQUIRE((status.st_mode & 0777) == 0600);
}

TEST_CASE("a server hands over to the one that replaces it, and nobody misses it meanwhile") {
  workspace at;
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  const auto old = *read_live(at.where);
  test::process replacing({BERTH_COMMAND, "replace", "--", PM_SERVER}, at.here);
  int reads = 0;
  while (replacing.running()) {
    for (int i = 0; i < 100; ++i, ++reads) REQUIRE(read_live(at.where));
  }
  REQUIRE(replacing.wait().status == 0);
  const auto now = *read_live(at.where);
  REQUIRE(now.instance_id != old.instance_id);
  REQUIRE(replacing.out() == url_of(now) + "\n");
  REQUIRE_THAT(test::read_text(at.where.directory / "server.log"),
               Catch::Contains(fmt::format("handing over to PID {}", now.pid)));
  WARN(reads << " look-ups while one server took the place of another");
  // It owns the place like any other.
  REQUIRE(test::run({PM_SERVER}, at.here).status == 4);
  REQUIRE(at.berth({"stop", "--timeout", "10"}).status == 0);
  at.check_clean();
}

TEST_CASE("a replacement that fails leaves the old server as it was") {
  workspace at;
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  const auto old = *read_live(at.where);
  REQUIRE(at.berth({"replace", "--", "false"}).status == 1);
  REQUIRE(at.berth({"replace", "--timeout", "0.3", "--", "sleep", "1000"}).status == 5);
  REQUIRE(read_live(at.where)->instance_id == old.instance_id);
  REQUIRE(test::run({"env", "BERTH_REPLACES=another", PM_SERVER}, at.here).status == 4);
  REQUIRE(read_live(at.where)->instance_id == old.instance_id);
}

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
    REQUIRE((*second)->port == 2);
    owned->remove();
    const auto none = co_await servers.changed(deadline::after(10s));
    REQUIRE(none);
    REQUIRE_FALSE(*none);
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
    REQUIRE(gone);
    REQUIRE_FALSE(*gone);
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

TEST_CASE("list tells every live server of an application, wherever it is, and forgets the dead") {
  workspace at;
  const test::temporary_directory elsewhere;
  const location other("other", elsewhere.path());
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  const claim owned(other, ours(7));
  REQUIRE(instance_list::held_entry(other).hold());
  const auto url = url_of(*read_live(at.where));
  const auto mine = at.berth({"list"});
  REQUIRE_THAT(mine.out, Catch::Contains(url) && Catch::Contains(at.where.port_file().string()) &&
                             !Catch::Contains("other"));
  REQUIRE_THAT(at.berth({"list", "--all"}).out,
               Catch::Contains(url) && Catch::Contains(other.port_file().string()));
  REQUIRE_THAT(at.berth({"--json", "list"}).out,
               Catch::StartsWith("[\n{\n  \"application\": \"pm\",") && Catch::EndsWith("}\n]\n"));
  ::kill(static_cast<pid_t>(read_live(at.where)->pid), SIGKILL);
  REQUIRE(test::eventually([&] { return at.berth({"list"}).out.empty(); }));
  REQUIRE(test::files_in(at.runtime.path() / "berth") == 1);
  REQUIRE(at.berth({"--json", "list"}).out == "[]\n");
}

TEST_CASE("an entry of the list decides nothing: what it points to is judged") {
  workspace at;
  const auto entries = at.runtime.path() / "berth";
  REQUIRE(instance_list::live("").empty());
  const claim owned(at.where, ours(7));
  REQUIRE(instance_list::held_entry(at.where).hold());
  REQUIRE(instance_list::live("pm").size() == 1);
  for (const std::string text : {"", "relative/server.json\n", "/nonexistent/server.json\n",
                                 "/no/line/end", "/a/.hidden.json\n"})
    test::write_text(entries / ("pm@" + std::to_string(std::hash<std::string>()(text))), text);
  test::write_text(entries / "no-entry", "x");
  fs::create_directory(entries / "pm@directory");
  REQUIRE(instance_list::live("pm").size() == 1);
  fs::permissions(entries, fs::perms(0777));
  REQUIRE_THROWS_WITH(instance_list::held_entry(at.where).hold(),
                      Catch::Contains("no place for the list"));
}

TEST_CASE("list --watch prints what comes and goes, a line each") {
  workspace at;
  test::process watching({BERTH_COMMAND, "--json", "list", "--watch"}, at.here);
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  const auto says = [&](const std::string& event) {
    return test::eventually([&] {
      return watching.out().find("{\"event\": \"" + event + "\", \"application\": \"pm\"") !=
             std::string::npos;
    });
  };
  REQUIRE(says("live"));
  REQUIRE(at.berth({"stop", "--timeout", "10"}).status == 0);
  REQUIRE(says("gone"));
  watching.signal(SIGTERM);
}

TEST_CASE("list --watch on a terminal keeps a table") {
  const unique_handle terminal(::posix_openpt(O_RDWR | O_NOCTTY));
  if (!terminal) {
    WARN("skipped: this system gives no terminals");
    return;
  }
  workspace at;
  // script(1) gives it a terminal.
  test::process watching(
      {"script", "-qfec", std::string(BERTH_COMMAND) + " list --watch", "/dev/null"}, at.here);
  const auto shows = [&](const std::string& text) {
    return test::eventually([&] { return watching.out().find(text) != std::string::npos; });
  };
  REQUIRE(shows("\033[H\033[Jno live server"));
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  REQUIRE(shows("\033[H\033[Jpm           server"));
  REQUIRE(test::run({"pkill", "-f", std::string(BERTH_COMMAND) + " list --watch"}).status == 0);
}

TEST_CASE("stop --now does not wait for requests in flight") {
  workspace at;
  REQUIRE(at.ensure({}, {ECHO_SERVER, "--config-dir", at.where.directory.string()}).status == 0);
  const auto found = read_live(at.where);
  const auto body = [](workspace& in, endpoint to) -> task<> {
    auto connected = co_await tcp_connect(to);
    REQUIRE(connected);
    const auto begun = std::chrono::steady_clock::now();
    REQUIRE(in.berth({"stop", "--now", "--timeout", "8"}).status == 0);
    REQUIRE(std::chrono::steady_clock::now() - begun < 8s);  // the soft deadline alone is 10 s
  };
  run(body(at, {"127.0.0.1", found->port}));
}
