// How a claim is won, kept and lost.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>

#include "conformance/place.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace conformance_test;
namespace fs = std::filesystem;

TEST_CASE("a claim without a file refuses others, and leaves no trace but its lock file") {
  place at;
  {
    claim owned(at.where);
    REQUIRE_FALSE(read_live(at.where));
    REQUIRE_THROWS_AS(claim(at.where, ours()), already_running);
  }
  REQUIRE(test::files_in(at.directory.path()) == 1);
  REQUIRE(fs::exists(at.where.lock_file()));
}

TEST_CASE("publishing again replaces the record, and leaves no file behind") {
  place at;
  claim owned(at.where, ours(1));
  auto changed = ours(2);
  changed.metadata["state"] = "busy";
  owned.publish(changed);
  REQUIRE(read_live(at.where)->metadata.at("state") == "busy");
  REQUIRE(test::files_in(at.directory.path()) == 2);
  REQUIRE(owned.intact());
}

TEST_CASE("a file that was deleted, and its lock file, are published again by their owner") {
  place at;
  claim owned(at.where, ours(1));
  fs::remove(at.file);
  REQUIRE_FALSE(owned.intact());
  REQUIRE_THROWS_AS(claim(at.where, ours(2)), already_running);
  owned.publish(ours(1));
  REQUIRE(owned.intact());
  fs::remove(at.where.lock_file());
  REQUIRE_FALSE(owned.intact());
  REQUIRE_THROWS_AS(claim(at.where, ours(2)), already_running);
  fs::remove(at.where.lock_file());
  owned.publish(ours(1));
  REQUIRE(owned.intact());
  fs::remove_all(at.directory.path());
  owned.publish(ours(1));
  REQUIRE(owned.intact());
  REQUIRE_THROWS_AS(claim(at.where, ours(2)), already_running);
}

TEST_CASE("an owner who lost both files to another server does not take them back") {
  place at;
  claim first(at.where, ours(1));
  fs::remove(at.file);
  fs::remove(at.where.lock_file());
  claim second(at.where, ours(2));
  REQUIRE_THROWS_AS(first.publish(ours(1)), already_running);
  first.remove();
  REQUIRE(read_live(at.where)->port == 2);
}

TEST_CASE("a late remove of a previous owner leaves the new owner's file alone") {
  place at;
  claim first(at.where, ours(1));
  fs::remove(at.file);
  fs::remove(at.where.lock_file());
  claim second(at.where, ours(2));
  REQUIRE_NOTHROW(first.remove());
  REQUIRE(second.intact());
}

TEST_CASE("a child forked without exec does not unpublish its parent's file") {
  place at;
  claim owned(at.where, ours());
  const pid_t child = ::fork();
  if (child == 0) {
    owned.remove();
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  REQUIRE(owned.intact());
  REQUIRE(read_live(at.where));
}

TEST_CASE("sixteen servers that start at one instant leave one winner") {
  for (int round = 0; round < 30; ++round) {
    place at;
    if (round % 2) write_foreign(at, no_process);
    int gate[2], won[2];
    REQUIRE(::pipe(gate) == 0);
    REQUIRE(::pipe(won) == 0);
    std::vector<pid_t> children;
    for (int i = 0; i < 16; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        char byte;
        ::close(gate[1]);
        (void)!::read(gate[0], &byte, 1);  // until the gate is closed
        char outcome = 'l';
        std::optional<claim> owned;
        try {
          owned.emplace(at.where, ours(static_cast<std::uint16_t>(1000 + i)));
          outcome = 'w';
        } catch (const already_running&) {
        }
        (void)!::write(won[1], &outcome, 1);
        ::pause();
        ::_exit(0);
      }
      children.push_back(child);
    }
    ::close(gate[0]);
    ::close(gate[1]);
    int winners = 0;
    for (int i = 0; i < 16; ++i) {
      char outcome = 0;
      REQUIRE(::read(won[0], &outcome, 1) == 1);
      winners += outcome == 'w';
    }
    const auto live = read_live(at.where);
    for (const pid_t child : children) ::kill(child, SIGKILL);
    for (const pid_t child : children) ::waitpid(child, nullptr, 0);
    ::close(won[0]);
    ::close(won[1]);
    REQUIRE(winners == 1);
    REQUIRE(live);
    REQUIRE_FALSE(read_live(at.where));
  }
}
