// What plugins may do in a service, and that their failures are contained.
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <berth/record/record.hpp>

#include "plugins/plugged.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "support/user_configuration.hpp"

using namespace berth;
using namespace plugins_test;
namespace fs = std::filesystem;

TEST_CASE("a plugin that misbehaves later stops nothing") {
  for (const auto& point : after)
    for (const std::string does : {"throw", "fail", "hang", "late", "twice", "nothing"}) {
      plugged at;
      at.served.load_plugin(
          PLUGIN_UNRULY,
          {{"at", point}, {"does", does}, {"journal", at.journal_path()}, {"name", "it"}});
      INFO(point << " " << does);
      REQUIRE(at.live().pid == static_cast<std::uint32_t>(::getpid()));
      REQUIRE_FALSE(fs::exists(at.where.port_file()));
      REQUIRE(at.journal() ==
              std::vector<std::string>{"it starts", "it called at " + point, "it stops"});
    }
}

TEST_CASE("coroutines of a plugin are cancelled in time, and their failures contained") {
  for (const std::string point : {"publishing", "ready", "connection_opened", "stopped"})
    for (const std::string does : {"sleep", "oversleep", "throw"}) {
      plugged at;
      at.served.load_plugin(PLUGIN_SLEEPY, {{"at", point}, {"does", does}});
      INFO(point << " " << does);
      if (point == "publishing" && does != "sleep")
        REQUIRE_THAT(at.refusal(), Catch::Contains(does == "throw" ? "as it was told"
                                                                   : "it took longer than 50 ms"));
      else
        REQUIRE(at.live().metadata.contains("slept") == (point == "publishing"));
    }
}

TEST_CASE("a coroutine of a plugin is not run on another thread than its own") {
  plugged at;
  at.served.threads(2);
  at.served.load_plugin(PLUGIN_SLEEPY, {{"at", "connection_opened"}, {"does", "sleep"}});
  for (int i = 0; i < 10; ++i) (void)at.live();
}

TEST_CASE("a hook is told what there is to tell, and may change what is published alone") {
  for (const auto& points : {before_publishing, after})
    for (const auto& point : points) {
      plugged at;
      at.served.load_plugin(
          PLUGIN_UNRULY,
          {{"at", point}, {"does", "texts"}, {"journal", at.journal_path()}, {"name", "-"}});
      const record published = at.live();
      const auto all = at.journal();
      const auto noted = [&](const std::string& line) {
        return std::any_of(all.begin(), all.end(),
                           [&](const auto& each) { return each.starts_with("- " + line); });
      };
      INFO(point);
      REQUIRE(noted("point=" + point));
      REQUIRE(noted("application=plugged"));
      REQUIRE(noted("instance=server"));
      REQUIRE(noted("path=" + at.where.port_file().string().substr(0, 60)));
      REQUIRE(noted("record={") == (point == "publishing" || point == "published"));
      REQUIRE(noted("port=") == (point == "bound"));
      REQUIRE(noted("peer=127.0.0.1:") == point.starts_with("connection"));
      REQUIRE(noted("reason=requested") == (point == "draining"));
      REQUIRE(noted(point == "publishing" ? "may add" : "may not add"));
      REQUIRE_FALSE(noted("nonsense"));
      REQUIRE_FALSE(noted("what cannot be"));
      REQUIRE(published.metadata.contains("a") == (point == "publishing"));
      REQUIRE(published.endpoints.contains("c") == (point == "publishing"));
    }
}

TEST_CASE(
    "plugins start in their order, those of the user's config.toml first, and stop in reverse") {
  plugged at;
  const test::user_configuration own(at.directory.path(), "plugged");
  const auto one = copy_of(PLUGIN_UNRULY, at.directory.path() / "one.so");
  const auto two = copy_of(PLUGIN_UNRULY, at.directory.path() / "two.so");
  test::write_text(
      own.file, "[[plugin]]\npath = \"../one.so\"\nname = \"one\"\nremoves = true\njournal = \"" +
                    at.journal_path() + "\"\n");
  at.served.load_plugin(two, {{"name", "two"}, {"journal", at.journal_path()}});
  (void)at.live();
  REQUIRE(at.journal() ==
          std::vector<std::string>{"one starts", "two starts", "two stops", "one stops"});
}

TEST_CASE("those that have started are stopped when the next one does not start") {
  plugged at;
  const auto one = copy_of(PLUGIN_UNRULY, at.directory.path() / "one.so");
  const auto two = copy_of(PLUGIN_UNRULY, at.directory.path() / "two.so");
  at.served.load_plugin(one, {{"name", "one"}, {"journal", at.journal_path()}});
  at.served.load_plugin(two,
                        {{"name", "two"}, {"start", "refuse"}, {"journal", at.journal_path()}});
  REQUIRE_THAT(at.refusal(), Catch::EndsWith("it does not start: it does not want to"));
  REQUIRE(at.journal() == std::vector<std::string>{"one starts", "two starts", "one stops"});
}

TEST_CASE("a plugin that does not stop is left loaded, and the service ends") {
  plugged at;
  const auto stubborn = copy_of(PLUGIN_UNRULY, at.directory.path() / "stubborn.so");
  at.served.load_plugin(stubborn, {{"stop", "never"}});
  REQUIRE(at.live().port != 0);
  REQUIRE_THAT(test::read_text("/proc/self/maps"), Catch::Contains(stubborn.string()));
}
