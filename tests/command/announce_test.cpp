// What announce publishes, and for how long.
#include <signal.h>

#include <cstdint>
#include <filesystem>

#include <berth/discovery/port_file.hpp>

#include "command/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace command_test;
namespace fs = std::filesystem;

TEST_CASE("announce publishes until a signal, and refuses beside a live server") {
  workspace at;
  test::process announcing({BERTH_COMMAND, "announce", "--port", "8080", "--host", "::1"}, at.here,
                           {{"HOME", "/nonexistent"}});
  REQUIRE(test::eventually([&] { return !announcing.out().empty(); }));
  REQUIRE(announcing.out() == at.where.port_file().string() + "\n");
  REQUIRE(at.berth({"url"}).out == "http://[::1]:8080\n");
  const auto second = at.berth({"announce", "--port", "9090", "--", "touch", "started"});
  REQUIRE(second.status == 4);
  REQUIRE_THAT(second.err, Catch::Contains("Another pm-server is already running on port 8080"));
  REQUIRE_FALSE(fs::exists(at.here / "started"));
  announcing.signal(SIGTERM);
  REQUIRE(announcing.wait().status == 0);
  REQUIRE_FALSE(fs::exists(at.where.port_file()));
}

TEST_CASE("announce follows its command: its pid, its end, its failure") {
  workspace at;
  test::process announcing({BERTH_COMMAND, "announce", "--port", "8080", "--", "sleep", "1000"},
                           at.here, {{"HOME", "/nonexistent"}});
  REQUIRE(at.berth({"wait", "--timeout", "20"}).status == 0);
  REQUIRE(read(at.where)->pid != static_cast<std::uint32_t>(announcing.pid()));
  REQUIRE(at.berth({"stop", "--timeout", "20"}).status == 0);
  REQUIRE(announcing.wait().status == 1);  // its command was ended by a signal from elsewhere

  const auto failed = at.berth({"announce", "--port", "8080", "--", "sh", "-c", "exit 7"});
  REQUIRE(failed.status == 1);
  REQUIRE_THAT(failed.err, Catch::Contains("sh exited with status 7"));
  REQUIRE(at.berth({"announce", "--port", "8080", "--", "true"}).status == 0);
  const auto missing = at.berth({"announce", "--port", "8080", "--", "/no/such/program"});
  REQUIRE(missing.status == 1);
  REQUIRE_THAT(missing.err, Catch::Contains("/no/such/program"));
  REQUIRE_FALSE(fs::exists(at.where.port_file()));
}
