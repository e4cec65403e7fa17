// The list of live servers.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <string>

#include <berth/base/unique_handle.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

#include "starting/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace starting_test;
namespace fs = std::filesystem;

TEST_CASE("list tells every live server of an application, wherever it is, and forgets the dead") {
  workspace at;
  const test::temporary_directory elsewhere;
  const location other("other", elsewhere.path());
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  const claim owned(other, ours(7));
  REQUIRE(instance_list::held_entry(other).hold());
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
  REQUIRE(instance_list::held_entry(at.where).hold());
  REQUIRE(instance_list::live("pm").size() == 1);
  for (const std::string text : {"", "relative/server.json\n", "/nonexistent/server.json\n",
                                 "/no/line/end", "/a/.hidden.json\n"})
    test::write_text(entries / ("pm@" + std::to_string(std::hash<std::string>()(text))), text);
  test::write_text(entries / "no-entry", "x");
  fs::create_directory(entries / "pm@directory");
  REQUIRE(instance_list::live("pm").size() == 1);
  fs::permissions(entries, fs::perms(0777));
  REQUIRE_THROWS_WITH(instance_list::held_entry(at.where).hold(),
                      Catch::Contains("no place for the list"));
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
