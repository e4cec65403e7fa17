// Which server a port file names, whether it lives, and whether it may be signalled. What needs
// namespaces or mounts says so and passes without the right to them.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/discovery/server_process.hpp>
#include <berth/liveness/process.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/record/started_at.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct place {
  test::temporary_directory directory;
  location where{"pm", directory.path()};
  fs::path file = where.port_file();
};

/// A process that only waits, killed at the end.
class sleeper {
 public:
  explicit sleeper(const std::function<void()>& before = [] {}) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::signal(SIGTERM, SIG_DFL);  // the test's own reports it as a fault
      before();
      (void)!::write(ready[1], "", 1);
      for (;;) ::pause();
    }
    char byte;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  sleeper(const sleeper&) = delete;
  sleeper& operator=(const sleeper&) = delete;
  ~sleeper() {
    if (pid_ > 0) ::kill(pid_, SIGKILL), ::waitpid(pid_, nullptr, 0);
  }
  std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }
  bool lives() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }
  /// By which signal it ended.
  int ended_by() {
    int status = 0;
    REQUIRE(::waitpid(std::exchange(pid_, -1), &status, 0) > 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

 private:
  pid_t pid_ = -1;
};

std::string moment(std::chrono::seconds from_now) {
  const auto then = std::chrono::system_clock::now() + from_now;
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(then)));
}

/// As a program that knows only the five fields writes it.
record foreign(std::uint32_t pid, std::string started_at) {
  record made;
  made.pid = pid;
  made.port = 9;
  made.host = "127.0.0.1";
  made.started_at = std::move(started_at);
  made.version = "1";
  return made;
}

void write(const place& at, const record& server) {
  test::write_text(at.file, format_record(server));
}

/// As berth writes it of another process of this system.
record described(std::uint32_t pid) {
  record made = describe_this_process("127.0.0.1", 9, "1");
  made.pid = pid;
  made.lock.clear();
  made.origin.start_time = status_of_process(pid).start_time;
  return made;
}

constexpr int missing_right = 99;

/// What `work` returns in a child with a mount namespace of its own; 98 if it throws.
int with_mounts(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    int result = 98;
    try {
      result = ::unshare(CLONE_NEWNS) == 0 &&
                       ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
                   ? work()
                   : missing_right;
    } catch (const std::exception& failed) {
      fmt::print(stderr, "{}\n", failed.what());
    }
    ::_exit(result);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const int result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (result == missing_right) WARN("skipped: no right to mount");
  return result == missing_right ? 0 : result;
}

/// An overlay of `lower`, mounted at merged().
class overlay {
 public:
  overlay(const fs::path& below, const fs::path& lower)
      : merged_(below / "merged"),
        options_(fmt::format("lowerdir={},upperdir={},workdir={}", lower.string(),
                             (below / "upper").string(), (below / "work").string())) {
    for (const char* each : {"merged", "upper", "work"}) fs::create_directories(below / each);
  }
  bool mount() const {
    return ::mount("overlay", merged_.c_str(), "overlay", 0, options_.c_str()) == 0;
  }
  void unmount() const { ::umount2(merged_.c_str(), MNT_DETACH); }
  const fs::path& merged() const { return merged_; }

 private:
  fs::path merged_;
  std::string options_;
};

test::ended run_berth(const place& at, std::vector<std::string> words) {
  words.insert(words.begin(), {BERTH_COMMAND, "--config-dir", at.directory.path().string()});
  return test::run(words);
}

}  // namespace

TEST_CASE("a moment is read in every form of RFC 3339, and in no other") {
  using namespace std::chrono;
  const auto parsed = [](const char* text) {
    const auto moment = parse_rfc3339(text);
    return moment ? moment->time_since_epoch().count() : -1;
  };
  REQUIRE(parsed("1970-01-01T00:00:00Z") == 0);
  REQUIRE(parsed("2026-01-31T08:15:30Z") == 1769847330);
  REQUIRE(parsed("2026-01-31t08:15:30.987654321z") == 1769847330);
  REQUIRE(parsed("2026-01-31 10:15:30+02:00") == 1769847330);
  REQUIRE(parsed("2026-01-31T02:45:30-05:30") == 1769847330);
  REQUIRE(parsed("2024-02-29T23:59:60Z") == 1709251200);
  for (const char* other : {"", "now", "2026-01-31", "2026-01-31T08:15:30", "2026-1-31T08:15:30Z",
                            "2026-02-30T08:15:30Z", "2026-01-31T24:15:30Z", "2026-01-31T08:60:30Z",
                            "2026-01-31T08:15:30.Z", "2026-01-31T08:15:30Zulu",
                            "2026-01-31T08:15:30+24:00", "2026-01-31T08:15:30+0200", "1769847330"})
    REQUIRE(parsed(other) == -1);
}

TEST_CASE("a process that started after the server is not the server") {
  const place at;
  sleeper other;
  write(at, foreign(other.pid(), moment(-1h)));
  const auto found = examine(at.where);
  REQUIRE(found->stale());
  REQUIRE(found->judged.reason ==
          fmt::format("pid {} is another process, started after the server", other.pid()));
  REQUIRE(process_liveness().judge({found->server, lock_state::unknown}).state == liveness::dead);
  REQUIRE_FALSE(read_live(at.where));
  REQUIRE_FALSE(fs::exists(at.file));
}

TEST_CASE("a process that started before the server said so may be the server") {
  const place at;
  const sleeper server;
  for (const auto since : {-1s, 0s, 3600s}) {
    write(at, foreign(server.pid(), moment(since)));
    REQUIRE(examine(at.where)->judged.state == liveness::alive);
  }
}

TEST_CASE("a start that cannot be read proves nothing") {
  const place at;
  const sleeper server;
  write(at, foreign(server.pid(), "yesterday"));
  REQUIRE(examine(at.where)->judged.state == liveness::unknown);
  REQUIRE(read_live(at.where));
  REQUIRE_THROWS_AS(claim(at.where, describe_this_process("127.0.0.1", 8080, "1")),
                    already_running);
}

TEST_CASE("a start time that berth recorded outweighs what the wall clock says") {
  const sleeper server;
  record published = described(server.pid());
  published.started_at = moment(-1h);
  const process_liveness strategy;
  REQUIRE(strategy.judge({published, lock_state::unknown}).state == liveness::alive);
  published.origin.start_time -= 1;
  REQUIRE(strategy.judge({published, lock_state::unknown}).state == liveness::dead);
}

TEST_CASE("equal boot ids mean this kernel, whatever the machine is called") {
  record server = describe_this_process("127.0.0.1", 8080, "1");
  const lock_liveness strategy;
  const auto judge = [&](lock_view view = lock_view::direct) {
    return strategy.judge({server, lock_state::free, view}).state;
  };
  REQUIRE(judge() == liveness::dead);
  server.origin.host_id = "another";
  server.origin.pid_namespace += 1;
  REQUIRE(judge() == liveness::dead);
  server.origin.boot_id = "another";
  REQUIRE(judge() == liveness::unknown);
  server.origin.host_id = origin_of_this_system().host_id;
  REQUIRE(judge() == liveness::dead);  // booted again
  server.origin.host_id.clear();
  REQUIRE(judge() == liveness::unknown);
}

TEST_CASE("a free lock proves nothing where locks are hidden or may be lost") {
  record server = describe_this_process("127.0.0.1", 8080, "1");
  const auto judge = [&](const liveness_strategy& strategy, lock_view view) {
    return strategy.judge({server, lock_state::free, view}).state;
  };
  const lock_liveness lock;
  const process_liveness process;
  REQUIRE(judge(lock, lock_view::remote) == liveness::unknown);
  REQUIRE(judge(lock, lock_view::other_layers) == liveness::unknown);
  REQUIRE(judge(lock, lock_view::same_layers) == liveness::unknown);
  REQUIRE(judge(process, lock_view::remote) == liveness::alive);
  REQUIRE(judge(process, lock_view::other_layers) == liveness::unknown);
  REQUIRE(judge(process, lock_view::same_layers) == liveness::unknown);
  server.origin.pid_namespace += 1;
  REQUIRE(judge(lock, lock_view::other_layers) == liveness::unknown);
  REQUIRE(judge(lock, lock_view::same_layers) == liveness::dead);
}

TEST_CASE("the file of a container that was killed does not outlive it") {
  const place at;
  const auto contained = [&](const std::string& name, const std::string& work) {
    test::write_text(at.directory.path() / "none", "");
    return test::run({"unshare", "-p", "-f", "-m", "-u", "--mount-proc", "sh", "-c",
                      fmt::format("hostname {} && mount --bind {}/none /etc/machine-id && {}", name,
                                  at.directory.path().string(), work)});
  };
  const std::string berth =
      fmt::format("{} --config-dir {}", BERTH_COMMAND, at.directory.path().string());
  const auto killed = contained(
      "box1", fmt::format("({} announce --port 8080 & p=$!; {} wait --timeout 20; kill -9 $p)",
                          berth, berth));
  if (killed.status != 0) {
    WARN("skipped: no right to make namespaces: " << killed.err);
    return;
  }
  REQUIRE(fs::exists(at.file));
  const auto judged = contained("box2", berth + " status");
  REQUIRE(judged.status == 3);
  REQUIRE_THAT(judged.out, Catch::Contains("dead (the file's lock is free"));
}

TEST_CASE("a live server is not called dead through an overlay of its directory") {
  const place at;
  const test::temporary_directory layers;
  const overlay over(layers.path(), at.directory.path());
  for (const bool contained : {false, true}) {
    std::vector<std::string> command{BERTH_COMMAND, "--config-dir", at.directory.path().string(),
                                     "announce",    "--port",       "8080"};
    if (contained) command.insert(command.begin(), {"unshare", "-p", "-f", "--kill-child"});
    test::process server(command);
    const bool published =
        test::eventually([&] { return !server.running() || read_live(at.where); });
    REQUIRE(published);
    if (!server.running()) {
      WARN("skipped: no right to make pid namespaces");
      continue;
    }
    const int seen = with_mounts([&] {
      if (!over.mount()) return missing_right;
      const location where("pm", over.merged());
      if (examine(where)->judged.state != liveness::unknown) return 1;
      if (!read_live(where) || !fs::exists(where.port_file())) return 2;
      try {
        const claim second(where, describe_this_process("127.0.0.1", 8081, "1"));
        return 3;
      } catch (const already_running&) {
      }
      if (contained) return 0;
      server.signal(SIGKILL);  // the parent collects it
      return test::eventually([&] { return examine(where)->stale(); }) ? 0 : 4;
    });
    REQUIRE(seen == 0);
    server.signal(SIGKILL);
    server.wait();
    REQUIRE(test::eventually([&] { return !read_live(at.where); }));
  }
}

TEST_CASE("a server that was killed on an overlay is found dead, in whatever container it was") {
  const test::temporary_directory lower, layers, more_layers;
  const overlay over(layers.path(), lower.path());
  const auto serve = [&](bool contained) {
    std::vector<std::string> command{BERTH_COMMAND, "--config-dir", over.merged().string(),
                                     "announce",    "--port",       "8080"};
    if (contained) command.insert(command.begin(), {"unshare", "-p", "-f", "--kill-child"});
    return command;
  };
  for (const bool contained : {false, true}) {
    const int seen = with_mounts([&] {
      if (!over.mount()) return missing_right;
      fs::permissions(over.merged(), fs::perms(0700));
      const location where("pm", over.merged());
      {
        test::process server(serve(contained));
        if (!test::eventually([&] { return !server.running() || read_live(where); })) return 1;
        if (!server.running()) return missing_right;
        if (examine(where)->judged.state != liveness::alive) return 2;
        if (read(where)->volume.empty()) return 3;
        const overlay nested(more_layers.path(), over.merged());
        if (!nested.mount()) return 4;
        if (examine(location("pm", nested.merged()))->judged.state != liveness::unknown) return 5;
        nested.unmount();
        server.signal(SIGKILL);
        server.wait();
      }
      if (!test::eventually([&] { return examine(where)->stale(); })) return 6;
      over.unmount();
      if (!over.mount()) return 7;
      if (!examine(where)->stale()) return 8;
      return read_live(where) || fs::exists(where.port_file()) ? 9 : 0;
    });
    REQUIRE(seen == 0);
  }
}

namespace {
const std::string invalid_texts[] = {"", "{", "[]", "{\"pid\": 1}", std::string(100'000, ' ')};
}

TEST_CASE("an invalid file that nobody locks is reported by readers and blocks no server") {
  const place at;
  for (const auto& text : invalid_texts) {
    test::write_text(at.file, text);
    const std::function<void()> readers[] = {[&] { (void)read(at.where); },
                                             [&] { (void)read_live(at.where); },
                                             [&] { (void)examine(at.where); }};
    for (const auto& reader : readers)
      REQUIRE_THROWS_WITH(reader(),
                          Catch::StartsWith("Invalid port file " + at.file.string() + ": ") &&
                              Catch::Contains("no process locks it") &&
                              Catch::Contains("start a server, which replaces it"));
    REQUIRE_THROWS_AS(remove_stale(at.where), invalid_port_file);
    REQUIRE(test::read_text(at.file) == text);
    const claim owned(at.where, describe_this_process("127.0.0.1", 8080, "1"));
    REQUIRE_FALSE(owned.found_stale());
    REQUIRE(read_live(at.where)->port == 8080);
  }
}

TEST_CASE("clean removes invalid files that nobody locks and prints them; doctor says so") {
  const place at;
  for (const auto& text : invalid_texts) {
    test::write_text(at.file, text);
    const auto told = run_berth(at, {"doctor"});
    REQUIRE(told.status == 1);
    REQUIRE_THAT(told.out, Catch::Contains("FAULT  port file " + at.file.string() +
                                           ": it is invalid, and no process locks it") &&
                               Catch::Contains("berth clean"));
    const auto cleaned = run_berth(at, {"clean"});
    REQUIRE(cleaned.status == 0);
    REQUIRE(cleaned.out == at.file.string() + "\n");
    REQUIRE_FALSE(fs::exists(at.file));
  }
}

TEST_CASE("an invalid file that is locked is left alone and reported") {
  const place at;
  test::write_text(at.file, "{");
  const sleeper holder([&] {
    static auto file = open_file::to_lock(at.where.port_file_name());
    file.try_lock(lock_range::owner);
  });
  const auto refused = Catch::Contains("left alone");
  REQUIRE_THROWS_WITH(read_live(at.where), refused);
  REQUIRE_THROWS_WITH(claim(at.where, describe_this_process("127.0.0.1", 8080, "1")), refused);
  const auto cleaned = run_berth(at, {"clean"});
  REQUIRE(cleaned.out.empty());
  REQUIRE_THAT(cleaned.err, refused);
  REQUIRE(test::read_text(at.file) == "{");
}

TEST_CASE("readers wait a moment for a writer that does not write atomically") {
  const place at;
  const std::string text = format_record(described(static_cast<std::uint32_t>(::getpid())));
  test::write_text(at.file, text);
  const pid_t writer = ::fork();
  if (writer == 0) {
    ::alarm(60);
    for (;;) {
      const int file = ::open(at.file.c_str(), O_WRONLY | O_TRUNC);
      (void)!::write(file, text.data(), text.size() / 2);
      (void)!::write(file, text.data() + text.size() / 2, text.size() - text.size() / 2);
      ::close(file);
      ::usleep(500);
    }
  }
  int faults = 0;
  for (int i = 0; i < 2000; ++i) try {
      if (!read_live(at.where) || !read(at.where)) ++faults;
    } catch (const invalid_port_file&) {
      ++faults;
    }
  ::kill(writer, SIGKILL);
  ::waitpid(writer, nullptr, 0);
  REQUIRE(faults == 0);
}

TEST_CASE("a process is proven to be the server by its start time") {
  const place at;
  sleeper server;
  const record proven = described(server.pid());
  REQUIRE(doubt_about(proven, at.where).empty());
  const auto doubted = [&](const std::function<void(record&)>& change, const char* why) {
    record other = proven;
    change(other);
    REQUIRE_THAT(doubt_about(other, at.where), Catch::Contains(why));
    REQUIRE_THROWS_WITH(ask_to_end(other, at.where), Catch::StartsWith("nothing was stopped: "));
    REQUIRE_THROWS_WITH(force_to_end(other, at.where), Catch::StartsWith("nothing was stopped: "));
    REQUIRE(server.lives());
  };
  doubted([](record& one) { one.origin = {}; }, "does not say when it started");
  doubted([](record& one) { one.origin.start_time = 0; }, "does not say when it started");
  doubted([](record& one) { one.origin.start_time -= 1; }, "did not start when the file says");
  doubted([](record& one) { one.origin.boot_id = "another"; }, "not proven");
  doubted([](record& one) { one.origin.boot_id.clear(); }, "not proven");
  doubted([](record& one) { one.origin.pid_namespace += 1; },
          "in another pid namespace: stop it there");
  doubted([](record& one) { one.origin.pid_namespace = 0; }, "not proven");
  doubted([](record& one) { one.origin.boot_id = one.origin.host_id = "another"; },
          "on another machine or");
  doubted([](record& one) { one.pid = 4294967295; }, "has ended");
  ask_to_end(proven, at.where);
  REQUIRE(server.ended_by() == SIGTERM);

  sleeper second;
  force_to_end(described(second.pid()), at.where);
  REQUIRE(second.ended_by() == SIGKILL);
}

TEST_CASE("a file that says it is locked proves no process that holds no lock on it") {
  const place at;
  const sleeper victim;
  record forged = described(victim.pid());
  forged.lock = std::string(lock_mechanism);
  write(at, forged);
  REQUIRE_THAT(doubt_about(forged, at.where), Catch::Contains("holds a lock on its port file"));
  auto file = open_file::to_lock(at.where.port_file_name());
  REQUIRE(file.try_lock(lock_range::owner));  // by this process, which the victim descends from
  REQUIRE(doubt_about(forged, at.where).empty());
}

TEST_CASE("a start time proves nothing beside a moment that cannot be the server's") {
  const place at;
  const sleeper victim;
  record forged = described(victim.pid());
  for (const std::string moment : {"2020-01-01T00:00:00Z", "2135-01-01T00:00:00Z", "yesterday"}) {
    forged.started_at = moment;
    REQUIRE_THAT(doubt_about(forged, at.where), Catch::Contains("not proven"));
  }
}

TEST_CASE("readers wait for no writer that has not written for a while") {
  const place at;
  test::write_text(at.file, "{");
  const auto shortest_look = [&](auto age) {
    auto shortest = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 10; ++i) {
      fs::last_write_time(at.file, fs::file_time_type::clock::now() - age);
      const auto begin = std::chrono::steady_clock::now();
      REQUIRE_THROWS_AS(read_live(at.where), invalid_port_file);
      shortest = std::min(shortest, std::chrono::steady_clock::now() - begin);
    }
    return shortest;
  };
  const auto waiting = shortest_look(std::chrono::seconds(0));
  REQUIRE(shortest_look(std::chrono::hours(1)) < waiting / 2);
  REQUIRE(shortest_look(std::chrono::hours(-24)) < waiting / 2);
}

TEST_CASE("a process is proven to be the server by its lock on the port file") {
  const place at;
  sleeper server([&] {
    static auto file = open_file::to_lock(at.where.port_file_name());
    file.try_lock(lock_range::owner);
  });
  const sleeper other;
  write(at, foreign(server.pid(), "yesterday"));
  REQUIRE_THAT(doubt_about(foreign(other.pid(), moment(0s)), at.where),
               Catch::Contains(fmt::format("end it yourself (kill {})", other.pid())) &&
                   Catch::Contains("remove " + at.file.string()));
  const place elsewhere;
  write(elsewhere, foreign(server.pid(), "yesterday"));
  REQUIRE_FALSE(doubt_about(foreign(server.pid(), "yesterday"), elsewhere.where).empty());
  ask_to_end(foreign(server.pid(), "yesterday"), at.where);
  REQUIRE(server.ended_by() == SIGTERM);
}

TEST_CASE("pid 1, this process and those that it descends from are never signalled") {
  const place at;
  const auto never = [&](std::uint32_t pid, const char* why) {
    REQUIRE_THAT(doubt_about(described(pid), at.where), Catch::Contains(why));
  };
  never(1, "never stopped from within");
  never(static_cast<std::uint32_t>(::getpid()), "is this process, or one that it descends from");
  never(static_cast<std::uint32_t>(::getppid()), "descends from");
  const std::uint32_t parent = static_cast<std::uint32_t>(::getpid());
  const pid_t child = ::fork();
  if (child == 0) {
    const pid_t grandchild = ::fork();
    if (grandchild == 0) {
      const auto doubt = doubt_about(described(parent), at.where);
      ::_exit(doubt.find("descends from") == std::string::npos);
    }
    int status = 1;
    ::waitpid(grandchild, &status, 0);
    ::_exit(WEXITSTATUS(status));
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  REQUIRE(status == 0);
}

TEST_CASE("without /proc nothing is proven, and nothing is signalled") {
  const place at;
  const sleeper server;
  const record published = described(server.pid());
  const int seen = with_mounts([&] {
    if (::mount("none", "/proc", "tmpfs", 0, nullptr) != 0) return missing_right;
    if (doubt_about(published, at.where).find("is /proc mounted?") == std::string::npos) return 1;
    const auto judged = process_liveness().judge({published, lock_state::unknown});
    return judged.state == liveness::unknown ? 0 : 2;
  });
  REQUIRE(seen == 0);
  REQUIRE(server.lives());
}

TEST_CASE("no command signals a process that is not proven to be the server") {
  const place at;
  const sleeper innocent;
  const std::vector<std::vector<std::string>> commands{
      {"stop"},
      {"stop", "--now"},
      {"ensure", "--min-version", "9", "--", PM_SERVER, "--config-dir",
       at.directory.path().string()}};
  for (const auto& command : commands) {
    write(at, foreign(innocent.pid(), rfc3339_now()));
    const auto refused = run_berth(at, command);
    INFO(refused.err);
    REQUIRE(refused.status == 1);
    REQUIRE_THAT(refused.err, Catch::Contains("nothing was stopped") &&
                                  Catch::Contains("not proven to be the server"));
    REQUIRE(innocent.lives());
    REQUIRE(fs::exists(at.file));
  }
  write(at, foreign(innocent.pid(), "2020-01-01T00:00:00Z"));
  REQUIRE(run_berth(at, {"stop"}).status == 3);
  REQUIRE(innocent.lives());
  write(at, foreign(1, "2020-01-01T00:00:00Z"));
  const auto spared = run_berth(at, {"stop"});
  REQUIRE((spared.status == 1 || spared.status == 3));
}
