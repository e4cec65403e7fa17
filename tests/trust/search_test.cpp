// Where the search for a directory starts and ends, and what it does not follow.
#include <filesystem>
#include <string>

#include <berth/discovery/claim.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "trust/place.hpp"

using namespace berth;
using namespace trust_test;
namespace fs = std::filesystem;

TEST_CASE("the search for a directory ends at the workspace root and starts .pm there") {
  place at;
  const auto src = at.make("checkout/src/deep");
  at.make("checkout/.git");
  at.make(".pm");
  const auto expected = (at.here / "checkout/.pm/server.json\n").string();
  REQUIRE(at.berth(src, {"path"}).out == expected);
  REQUIRE(at.berth(at.here / "checkout", {"path"}).out == expected);
  at.make("checkout/src/.pm");
  REQUIRE(at.berth(src, {"path"}).out == (at.here / "checkout/src/.pm/server.json\n").string());
}

TEST_CASE("a worktree inside a checkout is a workspace of its own") {
  place at;
  at.make("checkout/.git");
  at.make("checkout/.pm");
  const auto worktree = at.make("checkout/.worktrees/fix/src");
  test::write_text(at.here / "checkout/.worktrees/fix/.git", "gitdir: elsewhere\n");
  REQUIRE(at.berth(worktree, {"path"}).out ==
          (at.here / "checkout/.worktrees/fix/.pm/server.json\n").string());
}

TEST_CASE("a server that is started in a subdirectory belongs to the whole checkout") {
  place at;
  const auto src = at.make("checkout/src");
  at.make("checkout/.git");
  test::process server({PM_SERVER}, src, {{"HOME", "/nonexistent"}});
  const auto url = at.berth(at.here / "checkout", {"wait", "--timeout", "20"});
  REQUIRE(url.status == 0);
  REQUIRE(at.berth(src, {"url"}).out == url.out);
  REQUIRE_FALSE(fs::exists(src / ".pm"));
}

TEST_CASE("the application is named by --app, else BERTH_APP, else the build") {
  place at;
  REQUIRE(at.berth(at.here, {"path"}, {{"BERTH_APP", "other"}}).out ==
          (at.here / ".other/server.json\n").string());
  REQUIRE(at.berth(at.here, {"--app", "third", "path"}, {{"BERTH_APP", "other"}}).out ==
          (at.here / ".third/server.json\n").string());
  REQUIRE(at.berth(at.here, {"path"}, {{"BERTH_APP", ""}}).out ==
          (at.here / ".pm/server.json\n").string());
  REQUIRE(at.berth(at.here, {"path"}, {{"BERTH_APP", "../x"}}).status != 0);
}

TEST_CASE("a new directory gets a .gitignore, one that was there does not") {
  place at;
  const claim made(location("pm", at.here / "new" / ".pm"));
  REQUIRE(test::read_text(at.here / "new/.pm/.gitignore") == "*\n");
  REQUIRE_FALSE(fs::exists(at.here / "new/.gitignore"));
  const claim old(location("pm", at.make("old")));
  REQUIRE_FALSE(fs::exists(at.here / "old/.gitignore"));
}

TEST_CASE("a link that a search finds is not followed") {
  place at;
  at.make("elsewhere", 0700);
  for (const std::string target : {"elsewhere", "/nowhere"}) {
    fs::create_directory_symlink(target, at.here / ".pm");
    for (const std::string command : {"url", "path", "clean", "list"}) {
      if (command == "list") continue;
      const auto refused = at.berth(at.here, {command});
      REQUIRE(refused.status == 1);
      REQUIRE_THAT(refused.err, Catch::Contains("is a symbolic link"));
    }
    const auto examined = at.berth(at.here, {"doctor"});
    REQUIRE(examined.status == 1);
    REQUIRE_THAT(examined.out, Catch::Contains("is a symbolic link"));
    const auto server = test::run({PM_SERVER}, at.here, {{"HOME", "/nonexistent"}});
    REQUIRE(server.status == 1);
    fs::remove(at.here / ".pm");
  }
  REQUIRE(fs::is_empty(at.here / "elsewhere"));
}

TEST_CASE("a current directory that was deleted is an error that says what to do") {
  place at;
  const auto gone = at.make("gone");
  for (const std::string command : {"url", "status", "path", "doctor", "ensure -- true"}) {
    const auto ended =
        test::run({"sh", "-c", "rmdir $PWD; exec " BERTH_COMMAND " " + command}, at.make("gone"));
    INFO(command << ": " << ended.err);
    REQUIRE(ended.status == 1);
    REQUIRE_THAT(ended.err + ended.out, Catch::Contains("cannot find the current directory"));
  }
}
