// The berth command line as scripts use it.
#include <signal.h>

#include <simdjson.h>
#include <berth/discovery/port_file.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
namespace fs = std::filesystem;

namespace {

struct workspace {
  test::temporary_directory directory;
  fs::path here = fs::canonical(directory.path());
  location where{"pm", here / ".pm"};

  test::ended berth(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), BERTH_COMMAND);
    return test::run(arguments, here, {{"HOME", "/nonexistent"}});
  }
  void write_foreign(const std::string& name, int pid) const {
    fs::create_directories(where.directory);
    test::write_text(where.directory / name,
                     fmt::format("{{\"pid\": {}, \"port\": 8080, \"host\": \"0.0.0.0\", "
                                 "\"started_at\": \"now\", \"version\": \"1\"}}",
                                 pid));
  }
};

simdjson::dom::element json(const std::string& text) {
  static simdjson::dom::parser parser;
  return parser.parse(text);
}

}  // namespace

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

TEST_CASE("clean removes stale files of all instances, prints them and spares the others") {
  workspace at;
  at.write_foreign("server.json", 999999);
  at.write_foreign("two.json", 999999);
  at.write_foreign("live.json", 1);
  test::write_text(at.where.directory / "broken.json", "{");
  const auto cleaned = at.berth({"clean"});
  REQUIRE(cleaned.status == 0);
  REQUIRE(cleaned.out ==
          at.where.port_file().string() + "\n" + (at.where.directory / "two.json").string() + "\n");
  REQUIRE_THAT(cleaned.err, Catch::Contains("broken.json"));
  REQUIRE(fs::exists(at.where.directory / "live.json"));
  REQUIRE(at.berth({"clean", "--json"}).out == "{\n  \"removed\": []\n}\n");
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

TEST_CASE("announce publishes until a signal, and refuses beside a live server") {
  workspace at;
  test::process announcing({BERTH_COMMAND, "announce", "--port", "8080", "--host", "::1"}, at.here,
                           {{"HOME", "/nonexistent"}});
  REQUIRE(test::eventually([&] { return !announcing.out().empty(); }));
  REQUIRE(announcing.out() == at.where.port_file().string() + "\n");
  REQUIRE(at.berth({"url"}).out == "http://[::1]:8080\n");
  const auto second = at.berth({"announce", "--port", "9090", "--", "touch", "started"});
  REQUIRE(second.status == 4);
  REQUIRE_THAT(second.err, Catch::Contains("Another pm-server is already running on port 8080"));
  REQUIRE_FALSE(fs::exists(at.here / "started"));
  announcing.signal(SIGTERM);
  REQUIRE(announcing.wait().status == 0);
  REQUIRE_FALSE(fs::exists(at.where.port_file()));
}

TEST_CASE("announce follows its command: its pid, its end, its failure") {
  workspace at;
  test::process announcing({BERTH_COMMAND, "announce", "--port", "8080", "--", "sleep", "1000"},
                           at.here, {{"HOME", "/nonexistent"}});
  REQUIRE(at.berth({"wait", "--timeout", "20"}).status == 0);
  REQUIRE(read(at.where)->pid != static_cast<std::uint32_t>(announcing.pid()));
  REQUIRE(at.berth({"stop", "--timeout", "20"}).status == 0);
  REQUIRE(announcing.wait().status == 1);  // its command was ended by a signal from elsewhere

  const auto failed = at.berth({"announce", "--port", "8080", "--", "sh", "-c", "exit 7"});
  REQUIRE(failed.status == 1);
  REQUIRE_THAT(failed.err, Catch::Contains("sh exited with status 7"));
  REQUIRE(at.berth({"announce", "--port", "8080", "--", "true"}).status == 0);
  const auto missing = at.berth({"announce", "--port", "8080", "--", "/no/such/program"});
  REQUIRE(missing.status == 1);
  REQUIRE_THAT(missing.err, Catch::Contains("/no/such/program"));
  REQUIRE_FALSE(fs::exists(at.where.port_file()));
}

TEST_CASE("stop gives up with status 5 on a server that does not end") {
  workspace at;
  test::process stubborn({BERTH_COMMAND, "announce", "--port", "8080", "--", "sh", "-c",
                          "trap '' TERM; echo ready; while :; do sleep 1; done"},
                         at.here, {{"HOME", "/nonexistent"}});
  REQUIRE(test::eventually([&] { return stubborn.out().find("ready") != std::string::npos; }));
  REQUIRE(at.berth({"wait", "--timeout", "20"}).status == 0);
  const auto stopped = at.berth({"stop", "--timeout", "0.2"});
  REQUIRE(stopped.status == 5);
  ::kill(static_cast<pid_t>(read(at.where)->pid), SIGKILL);
  stubborn.wait();
}

TEST_CASE("wrong usage is status 2 and says what is wrong") {
  workspace at;
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"nonsense"},
      {"url", "extra"},
      {"--nonsense", "url"},
      {"announce"},
      {"announce", "--port", "0"},
      {"announce", "--port", "65536"},
      {"announce", "--port", "x"},
      {"announce", "--port", "-1"},
      {"wait", "--timeout", "soon"},
      {"wait", "--timeout", "-1"},
      {"--app", "../x", "path"},
      {"--instance", "a/b", "path"},
      {"--app", "", "path"},
  };
  for (const auto& arguments : wrong) {
    const auto refused = at.berth(arguments);
    INFO(fmt::format("{}", fmt::join(arguments, " ")));
    REQUIRE(refused.status == 2);
    REQUIRE(refused.out.empty());
    REQUIRE_FALSE(refused.err.empty());
  }
  REQUIRE(at.berth({"--help"}).status == 0);
  REQUIRE(at.berth({"--version"}).status == 0);
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
  REQUIRE_THAT(told.out, Catch::Contains("not there yet"));

  const auto fault = [&](const std::string& message) {
    const auto examined = at.berth({"doctor"});
    INFO(examined.out);
    REQUIRE(examined.status == 1);
    REQUIRE_THAT(examined.out, Catch::Contains("FAULT  ") && Catch::Contains(message));
  };
  at.write_foreign("server.json", 999999);
  fault("is dead: no process has pid 999999; remove the file with: berth clean");
  test::write_text(at.where.port_file(), "{");
  fault("Invalid port file");
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
