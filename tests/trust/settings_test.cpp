// Which configuration is read, and what a workspace's file may not decide.
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>

#include <berth/config/settings.hpp>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/user_configuration.hpp"
#include "trust/place.hpp"

using namespace berth;
using namespace trust_test;
namespace fs = std::filesystem;

TEST_CASE("the workspace's settings go before the user's, the environment before both") {
  place at;
  const test::user_configuration own(at.here / "home", "pm");
  test::write_text(own.file, "[server]\nport = 2000\nmax_connections = 7\nhost = \"::1\"\n");
  const auto workspace = at.make("ws");
  test::write_text(workspace / "config.toml", "[server]\nport = 3000\nhost = \"localhost\"\n");
  ::setenv("PM_SERVER_HOST", "127.0.0.2", 1);
  const auto settings = load_settings("pm", workspace);
  ::unsetenv("PM_SERVER_HOST");
  REQUIRE(settings.max_connections == 7);
  REQUIRE(settings.port == 3000);
  REQUIRE(settings.host == "127.0.0.2");
}

TEST_CASE("a workspace's file may neither run code nor send clients elsewhere") {
  place at;
  const test::user_configuration own(at.here / "home", "pm");
  const auto workspace = at.make(".pm");
  const std::pair<std::string, std::string> lines[] = {
      {"[server]\nport = 0\n[[plugin]]\npath = \"evil.so\"\n", ":3: plugin runs code"},
      {"registry = \"etcd://127.0.0.1:1\"\n", ":1: registry sends clients elsewhere"}};
  for (const auto& [text, reason] : lines) {
    test::write_text(workspace / "config.toml", text);
    const auto refused = refusal_of(workspace);
    REQUIRE_THAT(refused, Catch::StartsWith((workspace / "config.toml").string() + reason) &&
                              Catch::Contains("put it into " + own.file.string()));
    test::write_text(own.file, text);
    REQUIRE(refusal_of(at.make("other")) == "accepted");
    REQUIRE_THAT(refusal_of(own.file.parent_path()), Catch::Contains("keep the two apart"));
    fs::remove(own.file);
  }
  test::write_text(workspace / "config.toml", "[[plugin]]\npath = \"evil.so\"\n");
  fs::copy_file(PLUGIN_STAMP, workspace / "evil.so");
  const auto ensured = at.berth(at.here, {"ensure", "--", PM_SERVER});
  REQUIRE(ensured.status == 1);
  REQUIRE_THAT(ensured.err, Catch::Contains("plugin runs code"));
  test::write_text(workspace / "config.toml", "registry = \"etcd://127.0.0.1:1\"\n");
  for (const std::string command : {"url", "status", "list", "wait"})
    REQUIRE(at.berth(at.here, {command}).status == 1);
}

TEST_CASE(
    "what is no small regular file of the user's is no configuration, and the cause is kept") {
  place at;
  const test::user_configuration own(at.here / "home", "pm");
  const auto workspace = at.make("ws");
  const auto file = workspace / "config.toml";
  fs::create_symlink("/proc/self/mem", file);
  REQUIRE_THAT(refusal_of(workspace), Catch::Contains("a symbolic link is not followed"));
  fs::remove(file);
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  REQUIRE_THAT(refusal_of(workspace), Catch::Contains("it is not a regular file"));
  fs::remove(file);
  test::write_text(file, "");
  fs::resize_file(file, 600u << 20);
  REQUIRE_THAT(refusal_of(workspace), Catch::Contains("it is larger than 64 KiB"));
  fs::remove(file);
  if (!is_root()) return;
  test::write_text(file, "[server]\nport = 0\n");
  fs::permissions(file, fs::perms(0600));
  const auto unreadable = at.berth_as_stranger(at.here, {"--config-dir", workspace, "doctor"});
  REQUIRE_THAT(unreadable.out, Catch::Contains("cannot open " + file.string() + ": Permission"));
  give_to_stranger(file);
  REQUIRE_THAT(refusal_of(workspace), Catch::Contains("belongs to uid 12345"));
}

TEST_CASE("what runs code is taken from the user's own file alone") {
  if (!is_root()) return;
  place at;
  const test::user_configuration own(at.here / "home", "pm");
  test::write_text(own.file, "[server]\nport = 0\n");
  fs::permissions(own.file, fs::perms(0666));
  REQUIRE_THAT(refusal_of(at.make("ws")), Catch::Contains("chmod go-w " + own.file.string()));
  fs::permissions(own.file, fs::perms(0644));
  REQUIRE(refusal_of(at.make("ws")) == "accepted");
  give_to_stranger(own.file);
  REQUIRE_THAT(refusal_of(at.make("ws")), Catch::Contains("belongs to uid 12345"));
  ::setenv("SUDO_UID", "12345", 1);
  REQUIRE_THAT(refusal_of(at.make("ws")), Catch::Contains("belongs to uid 12345"));
  ::unsetenv("SUDO_UID");
}

TEST_CASE("keys that are nested too deeply are refused before they are parsed") {
  std::string dots = "a";
  for (int i = 0; i < 30'000; ++i) dots += ".a";
  const std::string deep[] = {dots + " = 1\n", "[" + dots + "]\n",
                              "x = '''\n\n'''\n" + dots + " = 1\n"};
  const std::size_t lines[] = {1, 1, 4};
  for (int i = 0; i < 3; ++i) {
    server_settings settings;
    REQUIRE_THROWS_WITH(read_settings(deep[i], "config.toml", settings),
                        fmt::format("config.toml:{}: the keys are nested too deeply", lines[i]));
  }
  const std::string dots_in_text = std::string(100, '.');
  for (const auto& text : {"# " + dots_in_text, "x = \"" + dots_in_text + "\"",
                           "x = '" + dots_in_text + "'", "x = \"\\\"" + dots_in_text + "\""}) {
    server_settings settings;
    REQUIRE_NOTHROW(read_settings(text, "config.toml", settings));
  }
}

TEST_CASE("nothing relative is executed, even where /proc is not there") {
  if (!is_root()) return;
  place at;
  const auto evil = at.here / "berth-full";
  test::write_text(evil, "#!/bin/sh\necho EVIL\n");
  fs::permissions(evil, fs::perms(0755));
  const auto script = "mount -t tmpfs none /proc && exec -a berth " BERTH_COMMAND " status";
  const auto ran = test::run({"unshare", "-m", "bash", "-c", script}, at.here, {{"HOME", "/x"}});
  if (ran.err.find("unshare failed") != std::string::npos) return;
  INFO(ran.err);
  REQUIRE_THAT(ran.out, !Catch::Contains("EVIL"));
  // Not its status: without /proc the leak sanitizer fails.
  REQUIRE_THAT(ran.err, Catch::Contains("No running pm-server found"));
  fs::copy_file(BERTH_COMMAND, at.here / "berth");
  const auto relative = test::run(
      {"unshare", "-m", "bash", "-c", "mount -t tmpfs none /proc && ./berth status"}, at.here);
  REQUIRE_THAT(relative.out, !Catch::Contains("EVIL"));
  REQUIRE(relative.status != 0);  // 1; under the thread sanitizer, which starts it anew, 3
}

TEST_CASE("a file that is both the workspace's and the user's is the workspace's") {
  place at;
  const auto workspace = at.make(".pm", 0700);
  const auto x = at.make("x");
  fs::create_directory_symlink("../.pm", x / "pm");
  fs::create_directory_symlink(".pm", at.here / "pm");
  fs::copy_file(PLUGIN_STAMP, workspace / "evil.so");
  for (const std::string text :
       {"[[plugin]]\npath = \"evil.so\"\n", "registry = \"etcd://127.0.0.1:1\"\n"}) {
    test::write_text(workspace / "config.toml", text);
    for (const auto& base : {x.string(), std::string("/proc/self/cwd")}) {
      INFO(base);
      const auto refused =
          at.berth(at.here, {"ensure", "--", PM_SERVER}, {{"XDG_CONFIG_HOME", base}});
      CHECK(refused.status == 1);
      CHECK_THAT(refused.err, Catch::Contains("is not read from a workspace's file") &&
                                  Catch::Contains("keep the two apart"));
      CHECK(at.berth(at.here, {"stop"}, {{"XDG_CONFIG_HOME", base}}).status == 3);
    }
  }
  test::write_text(workspace / "config.toml", "[server]\nmax_connections = 7\n");
  ::setenv("XDG_CONFIG_HOME", x.c_str(), 1);
  const auto settings = load_settings("pm", workspace);
  ::unsetenv("XDG_CONFIG_HOME");
  REQUIRE(settings.max_connections == 7);
}
