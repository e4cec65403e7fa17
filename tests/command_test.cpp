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

bool is_plain_utf8(const std::string& text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

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

TEST_CASE(
    "clean removes stale and invalid files of all instances, prints them, spares the others") {
  workspace at;
  at.write_foreign("server.json", 999999);
  at.write_foreign("two.json", 999999);
  at.write_foreign("live.json", 1);
  test::write_text(at.where.directory / "broken.json", "{");
  const auto cleaned = at.berth({"clean"});
  REQUIRE(cleaned.status == 0);
  REQUIRE(cleaned.out == fmt::format("{0}/broken.json\n{0}/server.json\n{0}/two.json\n",
                                     at.where.directory.string()));
  REQUIRE(cleaned.err.empty());
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

TEST_CASE("stop says of a halted server that it does not react, and --kill ends it") {
  workspace at;
  test::process server({PM_SERVER}, at.here);
  REQUIRE(at.berth({"wait", "--timeout", "20"}).status == 0);
  server.signal(SIGSTOP);
  const auto waited = at.berth({"stop", "--timeout", "2.5"});
  REQUIRE(waited.status == 5);
  REQUIRE_THAT(waited.err, Catch::Contains("does not react to the request to stop") &&
                               Catch::Contains("berth stop --kill"));
  REQUIRE(server.running());
  const auto killed = at.berth({"stop", "--kill", "--timeout", "0.1"});
  REQUIRE(killed.status == 0);
  REQUIRE_THAT(killed.err, Catch::Contains("did not end in time and was killed"));
  REQUIRE_FALSE(fs::exists(at.where.port_file()));
  server.wait();
}

TEST_CASE("stop --kill asks first: a server that ends in time is not killed") {
  workspace at;
  test::process server({PM_SERVER}, at.here);
  REQUIRE(at.berth({"wait", "--timeout", "20"}).status == 0);
  const auto stopped = at.berth({"stop", "--kill"});
  REQUIRE(stopped.status == 0);
  REQUIRE(stopped.err.empty());
  REQUIRE(server.wait().status == 0);
}

TEST_CASE("stop --kill kills no process that is not proven to be the server") {
  workspace at;
  test::process other({"sleep", "60"}, at.here);
  at.write_foreign("server.json", static_cast<int>(other.pid()));
  const auto refused = at.berth({"stop", "--kill", "--timeout", "0.1"});
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err, Catch::Contains("not proven to be the server"));
  REQUIRE(other.running());
  other.signal(SIGKILL);
  other.wait();
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
  REQUIRE_THAT(told.out, Catch::Contains("does not exist yet"));

  const auto fault = [&](const std::string& message) {
    const auto examined = at.berth({"doctor"});
    INFO(examined.out);
    REQUIRE(examined.status == 1);
    REQUIRE_THAT(examined.out, Catch::Contains("FAULT  ") && Catch::Contains(message));
  };
  at.write_foreign("server.json", 999999);
  fault("is dead: no process has pid 999999; remove the file with: berth clean");
  test::write_text(at.where.port_file(), "{");
  fault("it is invalid");
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

TEST_CASE("a password is refused where the list of processes would show it") {
  workspace at;
  const auto refused = at.berth({"--registry", "etcd://root:hunter2@127.0.0.1:1", "url"});
  REQUIRE(refused.status == 2);
  REQUIRE_THAT(refused.err, Catch::Contains("PM_REGISTRY") &&
                                Catch::Contains("password_file=FILE") &&
                                !Catch::Contains("hunter2"));
  REQUIRE_THAT(at.berth({"url", "etcd://root:hunter2@h"}).err, !Catch::Contains("hunter2"));
  const std::string settings[] = {"password=hunter2", "endpoints=http://root:hunter2@h:1",
                                  "user=root,password=x,hunter2", "etcd_token=hunter2"};
  for (const auto& setting : settings) {
    const auto server = test::run({PM_SERVER, "--plugin", "/no/such.so=" + setting}, at.here);
    INFO(setting);
    REQUIRE(server.status == 2);
    REQUIRE_THAT(server.err, !Catch::Contains("hunter2"));
  }
  const auto file =
      test::run({PM_SERVER, "--plugin", "/no/such.so=password_file=/no/such/file"}, at.here);
  REQUIRE(file.status == 1);
}

TEST_CASE("a password in the environment or the configuration appears in no message") {
  workspace at;
  const auto all_of = [&](const std::string& registry) {
    for (const std::string command : {"url", "status", "list", "wait"}) {
      std::vector<std::string> words = {BERTH_COMMAND, command};
      if (command == "wait") words.insert(words.end(), {"--timeout", "0.1"});
      const auto failed =
          test::run(words, at.here, {{"HOME", "/nonexistent"}, {"PM_REGISTRY", registry}});
      INFO(registry << " " << command);
      REQUIRE(failed.status != 0);
      REQUIRE_THAT(failed.out + failed.err, !Catch::Contains("hunter2"));
    }
  };
  all_of("etcd://root:hunter2@127.0.0.1:1");
  all_of("etcd://root:a/hunter2@");
  all_of("nonsense://root:hunter2@127.0.0.1:1");
  all_of("root:hunter2@127.0.0.1:1");
  all_of("etcd://127.0.0.1:1?password=hunter2");
}

TEST_CASE("pm-cli speaks http and https only") {
  workspace at;
  test::write_text(at.here / "secret", "hunter2");
  for (const std::string& url :
       {"file://" + at.here.string() + "/secret#", std::string("gopher://x"),
        std::string("ftp.example"), std::string("file:/etc/passwd")}) {
    const auto refused = test::run({PM_CLI, "--server", url, "project", "list"}, at.here);
    INFO(url);
    REQUIRE(refused.status == 1);
    REQUIRE(refused.out.empty());
    if (url.find("://") != std::string::npos)
      REQUIRE_THAT(refused.err, Catch::Contains("only http and https are spoken here"));
  }
}
