// What path, url, status and wait print.
#include <signal.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <berth/discovery/port_file.hpp>

#include <fmt/format.h>

#include "command/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace command_test;
namespace fs = std::filesystem;

TEST_CASE("path prints where the port file is expected") {
  workspace at;
  REQUIRE(at.berth({"path"}).out == (at.here / ".pm/server.json\n").string());
  REQUIRE(at.berth({"--app", "other", "--instance", "two", "path"}).out ==
          (at.here / ".other/two.json\n").string());
  const auto told = at.berth({"--json", "path"});
  REQUIRE(std::string_view(json(told.out)["path"]) == (at.here / ".pm/server.json").string());
}

TEST_CASE("a live server's URL is answered by the command's small part alone") {
  const fs::path command = BERTH_COMMAND;
  if (!fs::exists(command.parent_path() / "berth-full")) return;  // it is whole in this build
  workspace at;
  test::process server({PM_SERVER}, at.here);
  const auto url = at.berth({"wait", "--timeout", "20"}).out;
  const auto alone = at.here / "berth";
  fs::copy_file(command, alone);
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.begin(), alone);
    return test::run(words, at.here, {{"HOME", "/nonexistent"}});
  };
  REQUIRE(run({"url"}).out == url);
  REQUIRE(run({"--app", "pm", "--config-dir", ".pm", "--instance", "server", "url"}).out == url);
  const std::vector<std::string> others[] = {{"status"},       {"url", "--json"},
                                             {"url", "url"},   {},
                                             {"--app", "url"}, {"--app", "none", "url"}};
  for (const auto& words : others) {
    const auto refused = run(words);
    REQUIRE(refused.status == 1);
    REQUIRE(refused.out.empty());
    REQUIRE_THAT(refused.err, Catch::Contains("berth-full: install berth again"));
  }
}

TEST_CASE("a server that was killed has no URL, though its file is there") {
  workspace at;
  test::process server({PM_SERVER}, at.here);
  REQUIRE(at.berth({"wait", "--timeout", "20"}).status == 0);
  server.signal(SIGKILL);
  server.wait();
  REQUIRE(fs::exists(at.where.port_file()));
  const auto none = at.berth({"url"});
  REQUIRE(none.status == 3);
  REQUIRE(none.out.empty());
}

TEST_CASE("without a server: status 3, nothing on standard output, the path in the message") {
  workspace at;
  for (const std::string command : {"url", "status", "stop"}) {
    const auto none = at.berth({command});
    INFO(command);
    REQUIRE(none.status == 3);
    REQUIRE(none.out.empty());
    REQUIRE_THAT(none.err, Catch::Contains("No running pm-server found (checked " +
                                           at.where.port_file().string() + ")"));
  }
}

TEST_CASE("url and status tell of a live server, stop ends it") {
  workspace at;
  test::process server({PM_SERVER}, at.here);
  const auto waited = at.berth({"wait", "--timeout", "20"});
  REQUIRE(waited.status == 0);
  const auto url = at.berth({"url"});
  REQUIRE(url.out == waited.out);
  REQUIRE(url.out == fmt::format("http://127.0.0.1:{}\n", read(at.where)->port));
  REQUIRE(std::string(std::string_view(json(at.berth({"url", "--json"}).out)["url"])) + "\n" ==
          url.out);
  const auto status = at.berth({"status"});
  REQUIRE(status.status == 0);
  REQUIRE_THAT(status.out, Catch::Contains("alive (its server holds the file's lock)") &&
                               Catch::Contains(std::to_string(server.pid())));
  const auto as_json = at.berth({"--json", "status"});
  REQUIRE(std::string_view(json(as_json.out)["verdict"]) == "alive");
  REQUIRE(std::uint64_t(json(as_json.out)["pid"]) == static_cast<std::uint64_t>(server.pid()));
  REQUIRE(at.berth({"stop", "--timeout", "20"}).status == 0);
  REQUIRE(server.wait().status == 0);
  REQUIRE_FALSE(fs::exists(at.where.port_file()));
}

TEST_CASE("a wildcard host becomes the loopback address") {
  workspace at;
  at.write_foreign("server.json", 1);
  REQUIRE(at.berth({"url"}).out == "http://127.0.0.1:8080\n");
}

TEST_CASE("status says of a stale file that its server is dead, and leaves it") {
  workspace at;
  at.write_foreign("server.json", 999999);
  const auto status = at.berth({"status"});
  REQUIRE(status.status == 3);
  REQUIRE_THAT(status.out, Catch::Contains("dead (no process has pid 999999)"));
  REQUIRE(fs::exists(at.where.port_file()));
  REQUIRE(at.berth({"url"}).status == 3);
  REQUIRE_FALSE(fs::exists(at.where.port_file()));
}

TEST_CASE("wait gives up with status 5, and sees a server that comes later") {
  workspace at;
  const auto late = at.berth({"wait", "--timeout", "0.05"});
  REQUIRE(late.status == 5);
  REQUIRE_THAT(late.err, Catch::Contains(at.where.port_file().string()));
  test::process waiting({BERTH_COMMAND, "wait"}, at.here, {{"HOME", "/nonexistent"}});
  test::process server({PM_SERVER}, at.here);
  const auto waited = waiting.wait();
  REQUIRE(waited.status == 0);
  REQUIRE(waited.out == at.berth({"url"}).out);
}
