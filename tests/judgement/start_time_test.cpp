// Whether a process is the server, judged by the start times of both.
#include <chrono>
#include <filesystem>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record.hpp>
#include <berth/record/started_at.hpp>

#include <fmt/format.h>

#include "judgement/place.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace judgement_test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

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
