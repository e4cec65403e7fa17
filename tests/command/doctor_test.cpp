// What clean removes and doctor reports.
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "command/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace command_test;
namespace fs = std::filesystem;

TEST_CASE(
    "clean removes stale and invalid files of all instances, prints them, spares the others") {
  workspace at;
  at.write_foreign("server.json", 999999);
  at.write_foreign("two.json", 999999);
  at.write_foreign("live.json", 1);
  test::write_text(at.where.directory / "broken.json", "{");
  const auto cleaned = at.berth({"clean"});
  REQUIRE(cleaned.status == 0);
  REQUIRE(cleaned.out == fmt::format("{0}/broken.json\n{0}/server.json\n{0}/two.json\n",
                                     at.where.directory.string()));
  REQUIRE(cleaned.err.empty());
  REQUIRE(fs::exists(at.where.directory / "live.json"));
  REQUIRE(at.berth({"clean", "--json"}).out == "{\n  \"removed\": []\n}\n");
}

TEST_CASE("a file that cannot be judged is an error, status 1, with its path") {
  workspace at;
  fs::create_directories(at.where.directory);
  test::write_text(at.where.port_file(), "{ invalid json");
  for (const std::string command : {"url", "status", "stop", "wait"}) {
    const auto refused = at.berth({command});
    REQUIRE(refused.status == 1);
    REQUIRE_THAT(refused.err,
                 Catch::Contains("Invalid port file " + at.where.port_file().string()));
  }
}

TEST_CASE("doctor says what is good, what is wrong and what to do") {
  workspace at;
  auto told = at.berth({"doctor"});
  REQUIRE(told.status == 0);
  REQUIRE_THAT(told.out, Catch::Contains("does not exist yet"));

  const auto fault = [&](const std::string& message) {
    const auto examined = at.berth({"doctor"});
    INFO(examined.out);
    REQUIRE(examined.status == 1);
    REQUIRE_THAT(examined.out, Catch::Contains("FAULT  ") && Catch::Contains(message));
  };
  at.write_foreign("server.json", 999999);
  fault("is dead: no process has pid 999999; remove the file with: berth clean");
  test::write_text(at.where.port_file(), "{");
  fault("it is invalid");
  fs::remove(at.where.port_file());
  test::write_text(at.where.directory / ".server.123.tmp", "");
  fault(".server.123.tmp was left by a server that was killed");
  fs::remove(at.where.directory / ".server.123.tmp");
  test::write_text(at.where.directory / "config.toml", "[server]\nport = 500\n");
  fault("server.port must be 0 (auto) or >= 1024, got 500");
  fs::remove(at.where.directory / "config.toml");
  fs::permissions(at.where.directory, fs::perms(0777));
  fault("chmod go-w");
  fs::permissions(at.where.directory, fs::perms(0700));
  fs::create_directory(at.where.lock_file());
  fault("is not a regular file: remove it");
  fs::remove(at.where.lock_file());

  test::process server({PM_SERVER}, at.here);
  REQUIRE(at.berth({"wait", "--timeout", "20"}).status == 0);
  told = at.berth({"doctor"});
  REQUIRE(told.status == 0);
  REQUIRE_THAT(told.out, Catch::Contains("is alive: its server holds the file's lock"));
  REQUIRE(json(at.berth({"doctor", "--json"}).out)["faults"].get_array().size() == 0);
}
