// What doctor reports about directories, logs and registries.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/user_configuration.hpp"
#include "trust/place.hpp"

using namespace berth;
using namespace trust_test;
namespace fs = std::filesystem;

TEST_CASE("doctor names the owner, and what keeps servers from publishing") {
  place at;
  at.make(".pm", 0700);
  const auto good = at.berth(at.here, {"doctor"});
  INFO(good.out);
  REQUIRE(good.status == 0);
  REQUIRE_THAT(good.out, Catch::Contains(fmt::format("(uid {})", ::geteuid())));
  if (!is_root()) return;
  const auto hidden = at.make("named", 0700);
  const auto unreadable = at.berth_as_stranger(at.here, {"--config-dir", hidden, "doctor"});
  REQUIRE(unreadable.status == 1);
  REQUIRE_THAT(unreadable.out, Catch::Contains("cannot publish in " + hidden.string()) &&
                                   Catch::Contains("Permission denied"));
  const auto missing = at.berth_as_stranger(at.here, {"--config-dir", at.here / "new", "doctor"});
  REQUIRE(missing.status == 1);
  REQUIRE_THAT(missing.out, Catch::Contains("cannot publish in " + at.here.string()));
}

TEST_CASE("doctor says who can change a directory") {
  place at;
  at.make(".pm", 0700);
  REQUIRE_THAT(at.berth(at.here, {"doctor"}).out, Catch::Contains("alone can change it"));
  at.make(".pm", 0775);
  REQUIRE_THAT(at.berth(at.here, {"doctor"}).out,
               Catch::Contains(fmt::format("and group {} can change it", ::getegid())));
  const auto sticky = at.make("sticky", 01777);
  const auto told = at.berth(at.here, {"--config-dir", sticky, "doctor"}).out;
  REQUIRE_THAT(told, Catch::Contains("everybody can create files in it") &&
                         !Catch::Contains("alone can change it"));
}

TEST_CASE("what has the name of the directory and is none is one fault, that says so") {
  place at;
  const auto name = at.here / ".pm";
  for (const bool fifo : {false, true}) {
    if (fifo)
      REQUIRE(::mkfifo(name.c_str(), 0600) == 0);
    else
      test::write_text(name, "");
    const auto examined = at.berth(at.here, {"doctor"});
    INFO(examined.out);
    REQUIRE(examined.status == 1);
    REQUIRE_THAT(examined.out,
                 Catch::Contains("FAULT  " + name.string() + " is not a directory: remove it"));
    REQUIRE(examined.out.find("FAULT") == examined.out.rfind("FAULT"));
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"url"}, {"ensure", "--", PM_SERVER}}) {
      const auto refused = at.berth(at.here, words);
      REQUIRE(refused.status == 1);
      REQUIRE_THAT(refused.err, Catch::Contains(name.string() + " is not a directory: remove it"));
    }
    const auto named = at.berth(at.here, {"--config-dir", name, "doctor"});
    REQUIRE_THAT(named.out, Catch::Contains(name.string() + " is not a directory"));
    REQUIRE(named.out.find("FAULT") == named.out.rfind("FAULT"));
    fs::remove(name);
  }
}

TEST_CASE("doctor examines the log that a start would open, and leaves it as it is") {
  place at;
  const auto log = at.make(".pm", 0700) / "server.log";
  const auto fault = [&](const std::string& reason) {
    const auto examined = at.berth(at.here, {"doctor"});
    INFO(examined.out);
    REQUIRE(examined.status == 1);
    REQUIRE_THAT(examined.out, Catch::Contains("FAULT  the log " + log.string() + " is " + reason));
    fs::remove(log);
  };
  REQUIRE(::mkfifo(log.c_str(), 0600) == 0);
  fault("not a regular file");
  fs::create_symlink("/nowhere", log);
  fault("a symbolic link");
  test::write_text(at.here / "other", "");
  fs::create_hard_link(at.here / "other", log);
  fault("known by another name as well");
  test::write_text(log, "");
  fs::permissions(log, fs::perms(0644));
  REQUIRE(at.berth(at.here, {"doctor"}).status == 0);
  REQUIRE(fs::status(log).permissions() == fs::perms(0644));
}

TEST_CASE("doctor examines the registry that is configured") {
  place at;
  at.make(".pm", 0700);
  const auto fault = [&](const std::string& url, std::map<std::string, std::string> environment) {
    const auto examined = at.berth(at.here, {"doctor"}, std::move(environment));
    INFO(url << ": " << examined.out);
    REQUIRE(examined.status == 1);
    REQUIRE_THAT(examined.out, Catch::Contains("FAULT  the registry"));
    REQUIRE_THAT(examined.out, !Catch::Contains("secret"));
  };
  for (const std::string url : {"nonsense", "http://127.0.0.1:1", "etcd://", "etcd:///prefix",
                                "etcd://root:secret@", "etcd://root:secret@/x", "etcd://h:port",
                                "etcd://h:0", "etcd://h:65536", "etcd://a b", "etcd://h,,h:x"}) {
    fault(url, {{"PM_REGISTRY", url}});
    const test::user_configuration own(at.here / "home", "pm");
    test::write_text(own.file, "registry = \"" + url + "\"\n");
    fault(url, {{"XDG_CONFIG_HOME", at.here / "home"}});
  }
  for (const std::string url :
       {"file", "etcd://127.0.0.1:1", "etcds://root:secret@h,[::1]:2379/x?ca=/c", "etcd://[::1]"}) {
    const auto examined = at.berth(at.here, {"doctor"}, {{"PM_REGISTRY", url}});
    INFO(url << ": " << examined.out);
    REQUIRE(examined.status == 0);
    REQUIRE_THAT(examined.out, !Catch::Contains("secret"));
  }
}

TEST_CASE("doctor advises no removal on a file system that is read-only") {
  if (!is_root()) return;
  place at;
  const auto file = at.make(".pm", 0700) / "server.json";
  const auto script =
      "mount --bind . . && mount -o remount,ro,bind . && cd \"$PWD\" && exec " BERTH_COMMAND
      " doctor";
  for (
      const std::string text :
      {R"({"pid": 999999, "port": 8080, "host": "127.0.0.1", "started_at": "2026-01-01T00:00:00Z",)"
       R"( "version": "1"})",
       "{"}) {
    test::write_text(file, text);
    const auto ran = test::run({"unshare", "-m", "sh", "-c", script}, at.here, {{"HOME", "/x"}});
    if (ran.err.find("unshare") != std::string::npos) return;
    INFO(ran.out << ran.err);
    REQUIRE(ran.status == 1);
    REQUIRE_THAT(ran.out, Catch::Contains("Read-only file system") &&
                              Catch::Contains("FAULT  port file") &&
                              !Catch::Contains("berth clean"));
    REQUIRE_THAT(at.berth(at.here, {"doctor"}).out, Catch::Contains("berth clean"));
  }
}
