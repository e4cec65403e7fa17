// Starting servers and what goes wrong with it, handing over, knowing them from memory, listing
// them.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <berth/base/unique_handle.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/ensure.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/record_codec.hpp>
#include <berth/discovery/resolver.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A directory, and a list of instances of the test's own.
struct workspace {
  workspace() { ::setenv("XDG_RUNTIME_DIR", runtime.path().c_str(), 1); }
  ~workspace() {
    test::run({BERTH_COMMAND, "stop", "--timeout", "10"}, here);
    ::unsetenv("XDG_RUNTIME_DIR");
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
      REQUIRE((name.starts_with("server.lock") || name == "server.log"));
    }
  }

  test::temporary_directory runtime, directory;
  fs::path here = fs::canonical(directory.path());
  location where{"pm", here / ".pm"};
};

record ours(std::uint16_t port) { return describe_this_process("127.0.0.1", port, "1"); }

bool runs(const std::string& words) { return test::run({"pgrep", "-f", "--", words}).status == 0; }

}  // namespace

TEST_CASE("a command that is not there is an error that names it") {
  workspace at;
  const auto failed = at.ensure({}, {"/nonexistent/server"});
  REQUIRE(failed.status == 1);
  REQUIRE_THAT(failed.err, Catch::Contains("cannot start /nonexistent/server: No such file"));
  at.check_clean();
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

TEST_CASE("a command that publishes elsewhere is as one that does not publish") {
  workspace at;
  const auto elsewhere = at.here / "elsewhere";
  const auto failed =
      at.ensure({"--timeout", "2"}, {PM_SERVER, "--config-dir", elsewhere.string()});
  REQUIRE(failed.status == 5);
  REQUIRE_THAT(failed.err, Catch::Contains("ends:\npm-server listening on") &&
                               Catch::Contains((elsewhere / "server.json").string()));
  REQUIRE_FALSE(read_live(location("pm", elsewhere)));
  at.check_clean();
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
  const auto failed = at.ensure({"--exact-version", "2.0"}, {PM_SERVER});
  REQUIRE(failed.status == 1);
  REQUIRE_THAT(failed.err, Catch::Contains("published version 1.0.0, which will not do"));
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
      elsewhere.origin.host_id = "another";
    else
      elsewhere.origin.pid_namespace += 1;
    const location where("other", at.here / (other_host ? "host" : "namespace"));
    fs::create_directory(where.directory);
    fs::permissions(where.directory, fs::perms(0700));
    test::write_text(where.port_file(), format_record(elsewhere));
    for (std::vector<std::string> words :
         {std::vector<std::string>{"stop"}, {"ensure", "--exact-version", "1", "--", "true"}}) {
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
  REQUIRE(fs::file_size(log.string() + ".1") > (1u << 20));
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
  instance_list::enter(other);
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
  instance_list::enter(at.where);
  REQUIRE(instance_list::live("pm").size() == 1);
  for (const std::string text : {"", "relative/server.json\n", "/nonexistent/server.json\n",
                                 "/no/line/end", "/a/.hidden.json\n"})
    test::write_text(entries / ("pm@" + std::to_string(std::hash<std::string>()(text))), text);
  test::write_text(entries / "no-entry", "x");
  fs::create_directory(entries / "pm@directory");
  REQUIRE(instance_list::live("pm").size() == 1);
  fs::permissions(entries, fs::perms(0777));
  REQUIRE_THROWS_WITH(instance_list::enter(at.where), Catch::Contains("chmod go-w"));
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
