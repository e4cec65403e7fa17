// Where the list of instances is kept, and whose places are trusted.
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "trust/place.hpp"

using namespace berth;
using namespace trust_test;
namespace fs = std::filesystem;

TEST_CASE("a place for the list that another user has taken is passed over, and that is said") {
  if (!is_root()) return;
  place at;
  const auto squatted = fmt::format("/tmp/berth-{}", stranger);
  std::error_code ignored;
  if (!fs::create_directory(squatted, ignored)) return;
  give_to_stranger(at.here);
  const std::vector<std::string> words{
      "setpriv",       "--reuid", std::to_string(stranger), "--regid", std::to_string(stranger),
      "--clear-groups"};
  const auto as_stranger = [&](std::vector<std::string> command) {
    command.insert(command.begin(), words.begin(), words.end());
    return command;
  };
  const std::map<std::string, std::string> home{{"HOME", "/nonexistent"}};
  {
    test::process server(as_stranger({PM_SERVER}), at.here, home);
    const auto waited =
        test::run(as_stranger({BERTH_COMMAND, "wait", "--timeout", "20"}), at.here, home);
    const auto listed = test::run(as_stranger({BERTH_COMMAND, "list"}), at.here, home);
    CHECK(test::eventually([&] {
      return test::run(as_stranger({BERTH_COMMAND, "list"}), at.here, home)
                 .out.find(waited.out.substr(0, waited.out.size() - 1)) != std::string::npos;
    }));
    CHECK_THAT(server.err(), Catch::Contains(squatted + " is not a directory of yours"));
    const auto examined = test::run(as_stranger({BERTH_COMMAND, "doctor"}), at.here, home);
    CHECK_THAT(examined.out, Catch::Contains(squatted + " is not a directory of yours"));
    server.signal(SIGTERM);
    server.wait();
  }
  fs::remove_all(squatted, ignored);
  fs::remove_all(fmt::format("/var/tmp/berth-{}", stranger), ignored);
}

TEST_CASE("the list is the same whatever XDG_RUNTIME_DIR and TMPDIR say") {
  place at;
  test::process server(
      {PM_SERVER, "--config-dir", at.make("d", 0700)}, at.here,
      {{"XDG_RUNTIME_DIR", at.make("one", 0700)}, {"TMPDIR", at.make("two", 0700)}});
  const auto port_file = (at.here / "d/server.json").string();
  REQUIRE(test::eventually(
      [&] { return at.berth(at.here, {"list"}).out.find(port_file) != std::string::npos; }));
  REQUIRE_THAT(at.berth(at.here, {"list"}, {{"XDG_RUNTIME_DIR", "/nonexistent"}}).out,
               Catch::Contains(port_file));
  server.signal(SIGTERM);
  REQUIRE(server.wait().status == 0);
  REQUIRE_THAT(at.berth(at.here, {"list"}).out, !Catch::Contains(port_file));
}

TEST_CASE("a live server enters the list again after a cleaner removed it") {
  place at;
  const std::map<std::string, std::string> environment{{"BERTH_LIST_DIR", at.here / "list"},
                                                       {"HOME", "/nonexistent"}};
  test::process server({PM_SERVER}, at.here, environment);
  const auto listed = [&] {
    return !test::run({BERTH_COMMAND, "list"}, at.here, environment).out.empty();
  };
  REQUIRE(test::eventually(listed));
  fs::remove_all(at.here / "list");
  REQUIRE_FALSE(listed());
  // A change in its directory has it look at once; without one it looks twice per minute.
  fs::last_write_time(at.here / ".pm/server.json", fs::file_time_type::clock::now());
  REQUIRE(test::eventually(listed));
}

namespace {

/// A user of its own, both of whose shared places for the list root has taken; they are given back
/// at the end.
struct squatted_user {
  explicit squatted_user(const place& at, const fs::path& home_directory) : home(home_directory) {
    std::error_code ignored;
    for (const auto& each : taken) all_taken = fs::create_directory(each, ignored) && all_taken;
    REQUIRE(::chown(at.here.c_str(), id, id) == 0);
  }
  squatted_user(const squatted_user&) = delete;
  squatted_user& operator=(const squatted_user&) = delete;
  ~squatted_user() {
    std::error_code ignored;
    for (const auto& each : taken) fs::remove_all(each, ignored);
  }

  static std::vector<std::string> words(std::vector<std::string> command) {
    const std::vector<std::string> become{"setpriv", "--reuid",          std::to_string(id),
                                          "--regid", std::to_string(id), "--clear-groups"};
    command.insert(command.begin(), become.begin(), become.end());
    return command;
  }
  test::ended run(const place& at, std::vector<std::string> command) const {
    return test::run(words(std::move(command)), at.here, environment());
  }
  std::map<std::string, std::string> environment() const { return {{"HOME", home}}; }

  static constexpr unsigned id = 12398;
  const std::vector<std::string> taken{fmt::format("/tmp/berth-{}", id),
                                       fmt::format("/var/tmp/berth-{}", id)};
  fs::path home;
  bool all_taken = true;
};

}  // namespace

TEST_CASE("a user whose shared places for the list are taken has one in the home directory") {
  if (!is_root()) return;
  place at;
  const auto home = at.make("home", 0700);
  REQUIRE(::chown(home.c_str(), squatted_user::id, squatted_user::id) == 0);
  const squatted_user user(at, home);
  if (!user.all_taken) return;
  test::process server(user.words({PM_SERVER}), at.here, user.environment());
  const auto waited = user.run(at, {BERTH_COMMAND, "wait", "--timeout", "20"});
  REQUIRE(waited.status == 0);
  const auto url = waited.out.substr(0, waited.out.size() - 1);
  REQUIRE(test::eventually(
      [&] { return user.run(at, {BERTH_COMMAND, "list"}).out.find(url) != std::string::npos; }));
  const auto place_at_home = home / ".local/state/berth";
  REQUIRE((fs::status(place_at_home).permissions() & fs::perms(0777)) == fs::perms(0700));
  for (const auto& said : {server.err(), user.run(at, {BERTH_COMMAND, "doctor"}).out}) {
    // Root is who can remove it; the user cannot, in a sticky directory.
    REQUIRE_THAT(said, Catch::Contains(user.taken[0] + " is not a directory of yours") &&
                           Catch::Contains("it belongs to root (uid 0)") &&
                           Catch::Contains("ask root (uid 0) to remove it; servers are listed in " +
                                           place_at_home.string() + " meanwhile"));
  }
  server.signal(SIGTERM);
  REQUIRE(server.wait().status == 0);
  REQUIRE(user.run(at, {BERTH_COMMAND, "list"}).out.empty());
}

TEST_CASE("without any place for the list, a server says so at its start, and so does list") {
  if (!is_root()) return;
  place at;
  const squatted_user user(at, "/nonexistent");
  if (!user.all_taken) return;
  test::process server(user.words({PM_SERVER}), at.here, user.environment());
  REQUIRE(user.run(at, {BERTH_COMMAND, "wait", "--timeout", "20"}).status == 0);
  REQUIRE(test::eventually([&] { return server.err().find("listening on") != std::string::npos; }));
  REQUIRE_THAT(server.err(), Catch::Contains("there is no place for the list of instances"));
  const auto listed = user.run(at, {BERTH_COMMAND, "list"});
  REQUIRE(listed.status == 0);
  REQUIRE(listed.out.empty());
  REQUIRE_THAT(listed.err, Catch::Contains("there is no place for the list of instances") &&
                               Catch::Contains("BERTH_LIST_DIR"));
  REQUIRE(user.run(at, {BERTH_COMMAND, "list", "--json"}).out == "[]\n");
}
