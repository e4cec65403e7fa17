// Arguments, durations, help, and messages about wrong usage.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "command/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace command_test;
namespace fs = std::filesystem;

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
      {"announce", "--port", "1", "--host", "a b"},
      {"announce", "--port", "1", "--host", "127.1"},
      {"announce", "--port", "1", "--version", "\x1b"},
      {"wait", "--timeout", "soon"},
      {"wait", "--timeout", "-1"},
      {"wait", "--timeout", "nan"},
      {"stop", "--timeout", "-nan"},
      {"ensure", "--timeout", "NaN", "--", "true"},
      {"wait", "--timeout", "inf"},
      {"--app", "../x", "path"},
      {"--instance", "a/b", "path"},
      {"--app", "", "path"},
  };
  for (const auto& arguments : wrong) {
    const auto refused = at.berth(arguments);
    INFO(fmt::format("{}", fmt::join(arguments, " ")));
    REQUIRE(refused.status == 2);
    REQUIRE(refused.out.empty());
    REQUIRE_THAT(refused.err, Catch::StartsWith("berth: "));
  }
  REQUIRE(at.berth({"--help"}).status == 0);
  REQUIRE(at.berth({"--version"}).status == 0);
}

TEST_CASE("a mistyped command or option is answered by the nearest one") {
  workspace at;
  const auto refused = [&](const std::vector<std::string>& words, const std::string& message) {
    const auto ended = at.berth(words);
    REQUIRE(ended.status == 2);
    REQUIRE(ended.err == "berth: " + message + "\n");
  };
  refused({"urll"}, "unknown command 'urll': did you mean 'url'?");
  refused({"--app", "pm", "stauts", "--json"}, "unknown command 'stauts': did you mean 'status'?");
  refused({"wait", "--tiemout", "5"}, "unknown option '--tiemout': did you mean '--timeout'?");
  refused({"--config=x", "url"}, "unknown option '--config': did you mean '--config-dir'?");
  refused({"announce", "--prot", "80"}, "unknown option '--prot': did you mean '--port'?");
  refused({"frobnicate", "more"}, "unknown command 'frobnicate'; see: berth --help");
  refused({"url", "extra", "more"}, "url takes no argument 'extra'; see: berth url --help");
  refused({"url", "--zzzzz"}, "unknown option '--zzzzz'; see: berth url --help");
  refused({}, "a command is required; see: berth --help");
}

TEST_CASE("a duration has a unit, or is in seconds") {
  workspace at;
  for (const std::string text : {"0.05", "50ms", "0.05s", ".0008m", "1e-5h", "0"}) {
    INFO(text);
    REQUIRE(at.berth({"wait", "--timeout", text}).status == 5);
  }
  for (const std::string text :
       {"5 s", "5d", "s", "5ss", "-1s", "9000h", "nans", "infm", "1e400"}) {
    for (const std::string command : {"wait", "stop", "ensure", "replace"}) {
      const auto refused = at.berth({command, "--timeout", text, "--json"});
      INFO(command << " " << text);
      REQUIRE(refused.status == 2);
      const auto message = "--timeout: \"" + text +
                           "\" is not a duration: use a number of seconds, "
                           "or a number with a unit, as in 500ms, 5s, 2m or 1h, at most a year";
      REQUIRE_THAT(refused.err, Catch::StartsWith("berth: " + message));
      REQUIRE_THAT(std::string(std::string_view(json(refused.out)["error"])),
                   Catch::StartsWith(message));
    }
  }
}

TEST_CASE("the help of each command shows the common options and an example") {
  workspace at;
  for (const std::string command : {"path", "url", "status", "wait", "announce", "ensure",
                                    "replace", "list", "stop", "clean", "doctor"}) {
    const auto help = at.berth({command, "--help"});
    INFO(help.out);
    REQUIRE(help.status == 0);
    for (const std::string option : {"--app", "--config-dir", "--instance", "--json"})
      REQUIRE_THAT(help.out, Catch::Contains("\n  " + option));
    REQUIRE_THAT(help.out,
                 Catch::Contains("\nUsage: berth " + command) && Catch::Contains("\nExample:\n  "));
  }
}

TEST_CASE("with --json, help and version are one document") {
  workspace at;
  const std::vector<std::string> helps[] = {
      {"--json", "--help"}, {"--help", "--json"}, {"url", "--json", "-h"}};
  for (const auto& words : helps) {
    const auto help = at.berth(words);
    REQUIRE(help.status == 0);
    REQUIRE_THAT(std::string(std::string_view(json(help.out)["help"])), Catch::Contains("Usage: "));
  }
  REQUIRE(std::string_view(json(at.berth({"--json", "--version"}).out)["version"]) ==
          "berth " BERTH_VERSION);
}

TEST_CASE("what asks a registry is loaded only for that, and missed with a clear message") {
  workspace at;
  const fs::path built = fs::path(BERTH_COMMAND).parent_path();
  if (!fs::exists(built / "berth-registry.so")) return;  // this build has no other registry
  const auto alone = at.here / "berth-alone";
  fs::copy_file(fs::exists(built / "berth-full") ? built / "berth-full" : built / "berth", alone);
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.begin(), alone);
    return test::run(words, at.here, {{"HOME", "/nonexistent"}});
  };
  REQUIRE(run({"url"}).status == 3);
  REQUIRE(run({"list"}).status == 0);
  for (const std::string command : {"url", "status", "wait", "list"}) {
    const auto refused = run({"--registry", "etcd://127.0.0.1:1", command});
    REQUIRE(refused.status == 1);
    REQUIRE(refused.err ==
            "berth: cannot find its other part, berth-registry.so: install berth again\n");
  }
}
