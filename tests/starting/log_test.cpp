// The log of a started server.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include <berth/base/unique_handle.hpp>
#include <berth/client/ensure.hpp>
#include <berth/discovery/port_file.hpp>

#include "starting/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace starting_test;
namespace fs = std::filesystem;

TEST_CASE("a log that is a link, a FIFO or a device is refused at once and left alone") {
  workspace at;
  fs::create_directories(at.where.directory);
  fs::permissions(at.where.directory, fs::perms(0700));
  const auto log = at.where.directory / "server.log";
  const auto target = at.here / "target";
  test::write_text(target, "mine\n");
  const auto refused = [&](const std::string& reason) {
    const auto failed = at.ensure({"--timeout", "60"}, {PM_SERVER});
    REQUIRE(failed.status == 1);
    REQUIRE_THAT(failed.err, Catch::Contains("the log " + log.string() + " is " + reason));
    REQUIRE_FALSE(read_live(at.where));
    fs::remove(log);
  };
  fs::create_symlink("../target", log);
  refused("a symbolic link, which is not followed");
  REQUIRE(test::read_text(target) == "mine\n");
  REQUIRE(::mkfifo(log.c_str(), 0600) == 0);
  refused("not a regular file");
  REQUIRE(::mkfifo(log.c_str(), 0600) == 0);
  const unique_handle reader(::open(log.c_str(), O_RDONLY | O_NONBLOCK));
  refused("not a regular file");
  fs::create_directory(log);
  const auto directory = at.ensure({"--timeout", "60"}, {PM_SERVER});
  REQUIRE(directory.status == 1);
  fs::remove(log);
  fs::create_hard_link(target, log);
  refused("known by another name as well");
  REQUIRE(test::read_text(target) == "mine\n");
}

TEST_CASE("a log that the user names is no link and has no other name, but may be a device") {
  workspace at;
  const auto target = at.here / "target", log = at.here / "log";
  const auto ensure = [&](const fs::path& named) {
    return at.ensure({"--timeout", "60", "--log", named.string()}, {PM_SERVER});
  };
  const auto refused = [&](const std::string& reason) {
    const auto failed = ensure(log);
    REQUIRE(failed.status == 1);
    REQUIRE_THAT(failed.err, Catch::Contains("the log " + log.string() + " is " + reason));
    REQUIRE_FALSE(read_live(at.where));
    fs::remove(log);
  };
  test::write_text(target, "mine\n");
  fs::create_symlink(target, log);
  refused("a symbolic link, which is not followed");
  fs::create_symlink(at.here / "new", log);
  refused("a symbolic link, which is not followed");
  REQUIRE_FALSE(fs::exists(at.here / "new"));
  fs::create_hard_link(target, log);
  refused("known by another name as well");
  REQUIRE(test::read_text(target) == "mine\n");
  REQUIRE(ensure("/dev/null").status == 0);
  REQUIRE(at.berth({"stop", "--timeout", "20"}).status == 0);
  REQUIRE(ensure(log).status == 0);
  // The line may come a moment after the publication, which ends the wait.
  REQUIRE(test::eventually(
      [&] { return test::read_text(log).find("pm-server listening on") != std::string::npos; }));
}

TEST_CASE("a log that is empty because its file system is full is no riddle") {
  if (::geteuid() != 0) return;
  workspace at;
  const std::string script =
      "mount -t tmpfs -o size=64k,mode=755 none \"$1\" && cd \"$1\" && mkdir -m 700 .pm && "
      "touch .pm/server.lock .pm/server.log && chmod 600 .pm/* && "
      "{ cat /dev/zero >fill 2>/dev/null; "
      "exec " BERTH_COMMAND " ensure --timeout 30 -- sh -c 'echo why >&2; exit 1'; }";
  const auto full = test::run({"unshare", "-m", "sh", "-c", script, "sh", at.here}, at.here);
  INFO(full.err);
  if (full.err.find("unshare") != std::string::npos) return;
  REQUIRE(full.status == 1);
  REQUIRE_THAT(full.err, Catch::Contains("exited with status 1") &&
                             Catch::Contains("the file system of " + at.where.directory.string() +
                                             " is full"));
}

TEST_CASE("the log is kept once more when it has grown too long") {
  workspace at;
  fs::create_directories(at.where.directory);
  fs::permissions(at.where.directory, fs::perms(0700));
  const auto log = at.where.directory / "server.log";
  test::write_text(log, std::string((1u << 20) + 1, 'x'));
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  REQUIRE(fs::file_size(log) < 1000);
  REQUIRE(fs::file_size(log.string() + ".1") == (1u << 20));
  struct stat status;
  REQUIRE(::stat(log.c_str(), &status) == 0);
  REQUIRE((status.st_mode & 0777) == 0600);
}
