// Which versions satisfy a request, and what happens to one that does not.
#include <string>
#include <vector>

#include <berth/client/ensure.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/record/record.hpp>
#include <berth/record/started_at.hpp>
#include <berth/store/location.hpp>

#include "starting/workspace.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace starting_test;

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
