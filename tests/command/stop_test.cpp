// How stop ends a server, and which processes it leaves alone.
#include <signal.h>

#include <filesystem>
#include <string>

#include <berth/discovery/port_file.hpp>

#include "command/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace command_test;
namespace fs = std::filesystem;

TEST_CASE("stop gives up with status 5 on a server that does not end") {
  workspace at;
  test::process stubborn({BERTH_COMMAND, "announce", "--port", "8080", "--", "sh", "-c",
                          "trap '' TERM; echo ready; while :; do sleep 1; done"},
                         at.here, {{"HOME", "/nonexistent"}});
  REQUIRE(test::eventually([&] { return stubborn.out().find("ready") != std::string::npos; }));
  REQUIRE(at.berth({"wait", "--timeout", "20"}).status == 0);
  const auto stopped = at.berth({"stop", "--timeout", "0.2"});
  REQUIRE(stopped.status == 5);
  ::kill(static_cast<pid_t>(read(at.where)->pid), SIGKILL);
  stubborn.wait();
}

TEST_CASE("stop says of a halted server that it does not react, and --kill ends it") {
  workspace at;
  test::process server({PM_SERVER}, at.here);
  REQUIRE(at.berth({"wait", "--timeout", "20"}).status == 0);
  server.signal(SIGSTOP);
  const auto waited = at.berth({"stop", "--timeout", "2.5"});
  REQUIRE(waited.status == 5);
  REQUIRE_THAT(waited.err, Catch::Contains("does not react to the request to stop") &&
                               Catch::Contains("berth stop --kill"));
  REQUIRE(server.running());
  const auto killed = at.berth({"stop", "--kill", "--timeout", "0.1"});
  REQUIRE(killed.status == 0);
  REQUIRE_THAT(killed.err, Catch::Contains("did not end in time and was killed"));
  REQUIRE_FALSE(fs::exists(at.where.port_file()));
  server.wait();
}

TEST_CASE("stop --kill asks first: a server that ends in time is not killed") {
  workspace at;
  test::process server({PM_SERVER}, at.here);
  REQUIRE(at.berth({"wait", "--timeout", "20"}).status == 0);
  const auto stopped = at.berth({"stop", "--kill"});
  REQUIRE(stopped.status == 0);
  REQUIRE(stopped.err.empty());
  REQUIRE(server.wait().status == 0);
}

TEST_CASE("stop --kill kills no process that is not proven to be the server") {
  workspace at;
  test::process other({"sleep", "60"}, at.here);
  at.write_foreign("server.json", static_cast<int>(other.pid()));
  const auto refused = at.berth({"stop", "--kill", "--timeout", "0.1"});
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err, Catch::Contains("not proven to be the server"));
  REQUIRE(other.running());
  other.signal(SIGKILL);
  other.wait();
}
