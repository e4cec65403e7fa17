// Whether a process is proven to be the server and may be signalled.
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <berth/discovery/server_process.hpp>
#include <berth/liveness/liveness.hpp>
#include <berth/record/record.hpp>
#include <berth/record/started_at.hpp>

#include <fmt/format.h>

#include "judgement/mounts.hpp"
#include "judgement/place.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace judgement_test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

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
