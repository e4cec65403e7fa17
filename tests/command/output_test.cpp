// Text and JSON output: harmless whatever it contains, an error if it cannot be written.
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <simdjson.h>

#include "command/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace command_test;
namespace fs = std::filesystem;

TEST_CASE("with --json, every failure prints one document that names it") {
  workspace at;
  const auto failure = [&](std::vector<std::string> words, int status, const std::string& reason) {
    words.insert(words.begin(), "--json");
    const auto failed = at.berth(words);
    INFO(fmt::format("{}", fmt::join(words, " ")));
    REQUIRE(failed.status == status);
    const std::string told(std::string_view(json(failed.out)["error"]));
    REQUIRE_THAT(told, Catch::Contains(reason));
    REQUIRE_THAT(failed.err, Catch::Contains(reason));
  };
  for (const std::string command : {"url", "status", "stop"})
    failure({command}, 3, "No running pm-server found");
  failure({"wait", "--timeout", "0.05"}, 5, "appeared in time");
  failure({"url", "extra"}, 2, "extra");
  failure({"--app", "../x", "url"}, 2, "../x");
  failure({"ensure", "--timeout", "20", "--", "/no/such/program"}, 1, "/no/such/program");
  failure({"announce", "--port", "1", "--", "/no/such/program"}, 1, "/no/such/program");
  at.write_foreign("server.json", 1);
  failure({"announce", "--port", "9090"}, 4, "Another pm-server is already running");
  failure({"url", "--endpoint", "none"}, 1, "no endpoint");
  fs::remove(at.where.port_file());
  test::write_text(at.where.directory / "config.toml", "registry = \"http://x\"\n");
  failure({"list"}, 1, "registry sends clients elsewhere");
}

TEST_CASE("with --json, what a stale file or a fault says is in the document of the command") {
  workspace at;
  at.write_foreign("server.json", 999999);
  const auto status = at.berth({"--json", "status"});
  REQUIRE(status.status == 3);
  REQUIRE_THAT(std::string(std::string_view(json(status.out)["error"])),
               Catch::Contains("no process has pid 999999"));
  const auto examined = at.berth({"--json", "doctor"});
  REQUIRE(examined.status == 1);
  REQUIRE(std::string_view(json(examined.out)["error"]) == "number of faults found: 1");
}

TEST_CASE("standard output that cannot be written is status 1 and a message") {
  workspace at;
  at.write_foreign("server.json", 1);
  const std::string ways[] = {"exec \"$0\" \"$@\" >/dev/full", "exec \"$0\" \"$@\" >&-",
                              // The reader has gone before anything is written.
                              "mkfifo f; exec 3<>f 4>f 3>&-; exec \"$0\" \"$@\" >&4"};
  const std::vector<std::string> commands[] = {{"path"},
                                               {"url"},
                                               {"--json", "url"},
                                               {"status"},
                                               {"--json", "status"},
                                               {"list"},
                                               {"doctor"},
                                               {"--json", "list"},
                                               {"--help"},
                                               {"--version"},
                                               {"url", "--help"},
                                               {"wait"},
                                               {"--json", "nonsense"},
                                               {"announce", "--instance", "two", "--port", "9"}};
  test::process listed({BERTH_COMMAND, "announce", "--instance", "listed", "--port", "9"}, at.here,
                       {{"HOME", "/nonexistent"}});
  REQUIRE(test::eventually([&] { return !listed.out().empty(); }));
  for (const auto& way : ways) {
    for (const auto& words : commands) {
      std::vector<std::string> command = {"sh", "-c", "rm -f f; " + way, BERTH_COMMAND};
      command.insert(command.end(), words.begin(), words.end());
      const auto refused = test::run(command, at.here, {{"HOME", "/nonexistent"}});
      INFO(way << ": " << fmt::format("{}", fmt::join(words, " ")) << "\n" << refused.err);
      REQUIRE(refused.status == 1);
      REQUIRE_THAT(refused.err, Catch::Contains("cannot write standard output: "));
    }
  }
  REQUIRE_FALSE(fs::exists(at.where.directory / "two.json"));
  const auto server = test::run({"sh", "-c", "exec \"$0\" --help >/dev/full", PM_SERVER}, at.here);
  REQUIRE(server.status == 1);
  REQUIRE_THAT(server.err, Catch::Contains("cannot write standard output: "));
}

TEST_CASE("a live server's URL that cannot be written is status 1, from the small part as well") {
  workspace at;
  test::process server({PM_SERVER}, at.here);
  REQUIRE(at.berth({"wait", "--timeout", "20"}).status == 0);
  const std::string ways[] = {"exec \"$0\" url >/dev/full", "exec \"$0\" url >&-",
                              "mkfifo f; exec 3<>f 4>f 3>&-; exec \"$0\" url >&4"};
  for (const auto& way : ways) {
    const auto refused =
        test::run({"sh", "-c", way, BERTH_COMMAND}, at.here, {{"HOME", "/nonexistent"}});
    INFO(way);
    REQUIRE(refused.status == 1);
    REQUIRE_THAT(refused.err, Catch::Contains("cannot write standard output: "));
  }
}

namespace {

bool is_plain_utf8(const std::string& text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

/// Nothing that a terminal obeys, and no line that begins with "forged".
bool is_harmless(const std::string& printed) {
  for (const char c : printed)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F) return false;
  return printed.find("\nforged") == std::string::npos &&
         printed.find("\xC2\x9B") == std::string::npos &&
         printed.find("\xE2\x80\xAE") == std::string::npos && is_plain_utf8(printed);
}

}  // namespace

TEST_CASE("nothing that a file or a name holds reaches standard output or error raw") {
  workspace at;
  const fs::path odd = at.here / "a\x1B[31m\nforged\xE9\xC2\x9B\xE2\x80\xAE";
  fs::create_directory(odd);
  const auto berth = [&](std::vector<std::string> words) {
    words.insert(words.begin(), BERTH_COMMAND);
    const auto ended = test::run(words, odd, {{"HOME", "/nonexistent"}});
    INFO(fmt::format("{}\n{}\n{}", fmt::join(words, " "), ended.out, ended.err));
    REQUIRE(is_harmless(ended.out));
    REQUIRE(is_harmless(ended.err));
    return ended;
  };
  const auto everything = [&] {
    for (const std::string command : {"url", "status", "list", "clean", "doctor", "stop"}) {
      berth({command});
      json(berth({"--json", command}).out).type();
    }
    berth({"wait", "--timeout", "0.01"});
  };
  everything();
  fs::create_directory(odd / ".pm");
  const auto publish = [&](std::string_view host, std::string_view more) {
    test::write_text(odd / ".pm/server.json",
                     fmt::format(R"({{"pid": 999999, "port": 8080, "host": "{}", )"
                                 R"("started_at": "now", "version": "1"{}}})",
                                 host, more));
    everything();
  };
  publish("a\\u001b[2J\\nforged", "");
  publish("a\\u009b", "");
  publish("h", R"(, "scheme": "x\u001b\nforged")");
  publish("h", R"(, "instance_id": "\nforged", "lock": "\u001b", "token": "\u001b")");
  publish("h", R"(, "metadata": {"\u001b": "x", "x": "\nforged", "\u202e": "\u202e"})");
  publish("h", R"(, "endpoints": {"\nforged": {"host": "h", "port": 1},)"
               R"( "x": {"host": "\u001b", "port": 1, "scheme": "\u001b"}})");
  publish("h", R"(, "process": {"boot_id": "\u001b\nforged", "host_id": "\u009b"})");
  test::write_text(odd / ".pm/server.json", "{ \x1B[2J\nforged");
  everything();
  fs::remove(odd / ".pm/server.json");
  test::write_text(odd / ".pm/config.toml", "\x1B[2J\nforged = \"\x1B\"\n");
  everything();
  fs::remove(odd / ".pm/config.toml");
  berth({"--instance", "\x1B", "url"});
  berth({"\x1B\nforged"});
  berth({"--config-dir", "\x1B\nforged", "status"});
  berth({"url", "--endpoint", "\x1B"});
  berth({"ensure", "--timeout", "20", "--", "sh", "-c", "printf '\\033[2J\\nof a log\\n'; exit 1"});
  const auto server = test::run({PM_SERVER, "--config-dir", "\x1B\nforged", "--port", "500"}, odd,
                                {{"HOME", "/nonexistent"}, {"PM_SERVER_HOST", "\x1B"}});
  REQUIRE(is_harmless(server.err));
  REQUIRE(is_harmless(test::run({PM_SERVER, "\x1B\nforged"}, odd).err));
}

TEST_CASE("a script gets the path byte by byte, and JSON of it is valid") {
  workspace at;
  const fs::path latin = at.here / "caf\xE9";
  fs::create_directory(latin);
  const auto raw = test::run({BERTH_COMMAND, "path"}, latin, {{"HOME", "/nonexistent"}});
  REQUIRE(raw.out == (latin / ".pm/server.json\n").string());
  const auto document =
      test::run({BERTH_COMMAND, "--json", "path"}, latin, {{"HOME", "/nonexistent"}});
  REQUIRE(std::string_view(json(document.out)["path"]) ==
          (at.here / "caf\xEF\xBF\xBD/.pm/server.json").string());
  test::process server({PM_SERVER}, latin, {{"HOME", "/nonexistent"}});
  const std::map<std::string, std::string> home = {{"HOME", "/nonexistent"}};
  REQUIRE(test::run({BERTH_COMMAND, "wait", "--timeout", "20"}, latin, home).status == 0);
  for (const std::string command : {"url", "status", "list", "doctor"})
    REQUIRE_NOTHROW(json(test::run({BERTH_COMMAND, "--json", command}, latin, home).out).type());
}
