// A service's own settings: where they come from, which one counts, and what is refused.
#include <signal.h>

#include <array>
#include <chrono>
#include <fstream>

#include <berth/base/error.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/service/service.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/user_configuration.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

/// A service that stops when it is ready, in a fresh directory.
struct short_service {
  short_service() {
    served.hooks().ready.add("stop", [this]() -> task<> {
      served.stop();
      co_return;
    });
    served.hooks().configured.add("see", [this](server_settings&, const location&) -> task<> {
      seen = *name + " " + std::to_string(*count) + " " + std::to_string(*exact) + " " +
             std::to_string(ratio.value()) + " " + std::to_string(limit->count());
      co_return;
    });
  }
  std::string values(std::map<std::string, std::string> given = {}) {
    service::overrides overrides;
    overrides.config_dir = directory.path();
    overrides.options = std::move(given);
    run(served.serve(std::move(overrides)));
    return seen;
  }
  void configure(const std::string& text) { write(directory.path() / "config.toml", text); }

  test::temporary_directory directory;
  service served{"brief", "1"};
  service_option<std::string> name = served.option("name", "none", "A text");
  service_option<std::int64_t> count = served.option("max_count", 3, "A whole number");
  service_option<bool> exact = served.option("exact", false, "A switch");
  service_option<double> ratio = served.option("ratio", 0.5, "A number");
  service_option<std::chrono::milliseconds> limit = served.option("limit", 5s, "A duration");
  std::string seen;
};

class variable_set {
 public:
  variable_set(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  variable_set(const variable_set&) = delete;
  variable_set& operator=(const variable_set&) = delete;
  ~variable_set() { ::unsetenv(name_); }

 private:
  const char* name_;
};

/// What the example says, started with these arguments and variables.
std::string greeting_of(const fs::path& directory, std::vector<std::string> arguments,
                        const std::map<std::string, std::string>& environment = {}) {
  arguments.insert(arguments.begin(), {HELLO_SERVER, "--config-dir", directory.string()});
  test::process server(arguments, directory, environment);
  const location where("hello", directory);
  REQUIRE(test::eventually([&] { return read_live(where).has_value(); }));
  const auto ask = [](std::uint16_t port) -> task<std::string> {
    auto client = co_await tcp_connect(endpoint("127.0.0.1", port));
    std::array<std::byte, 64> buffer;
    const auto size = co_await client->read_some(buffer, deadline::after(20s));
    co_return std::string(reinterpret_cast<const char*>(buffer.data()), size ? *size : 0);
  };
  std::string said = run(ask(read_live(where)->port));
  server.signal(SIGTERM);
  REQUIRE(server.wait().status == 0);
  return said;
}

}  // namespace

TEST_CASE("an option that is set nowhere has its default") {
  short_service brief;
  REQUIRE(*brief.limit == 5s);
  REQUIRE(brief.values() == "none 3 0 0.500000 5000");
}

TEST_CASE("each source of options overrides those before it") {
  short_service brief;
  const test::temporary_directory home;
  const test::user_configuration user(home.path(), "brief");
  write(user.file,
        "[brief]\nname = \"user\"\nmax_count = 1\nexact = true\nratio = 2\nlimit = \"2m\"\n");
  REQUIRE(brief.values() == "user 1 1 2.000000 120000");
  brief.configure("[brief]\nname = \"workspace\"\nmax_count = 2\n");
  REQUIRE(brief.values() == "workspace 2 1 2.000000 120000");
  const variable_set name("BRIEF_NAME", "variable"), count("BRIEF_MAX_COUNT", "-7");
  REQUIRE(brief.values() == "variable -7 1 2.000000 120000");
  REQUIRE(brief.values({{"name", "given"}, {"limit", "250ms"}}) == "given -7 1 2.000000 250");
}

TEST_CASE("an option has its default again in the next run that does not set it") {
  short_service brief;
  REQUIRE(brief.values({{"name", "once"}}) == "once 3 0 0.500000 5000");
  REQUIRE(brief.values() == "none 3 0 0.500000 5000");
}

TEST_CASE("a wrong value stops the start, naming its file and line, or its variable") {
  short_service brief;
  const std::string file = (brief.directory.path() / "config.toml").string();
  for (const auto& [line, why] : std::map<std::string, std::string>{
           {"name = 1", "brief.name must be a string"},
           {"max_count = \"many\"", "brief.max_count must be a whole number"},
           {"max_count = 1.5", "brief.max_count must be a whole number"},
           {"exact = 1", "brief.exact must be true or false"},
           {"ratio = \"half\"", "brief.ratio must be a number"},
           {"limit = 5", "brief.limit must be a duration such as \"5s\" or \"250ms\""},
           {"limit = \"soon\"", "brief.limit must be a duration such as \"5s\" or \"250ms\""}}) {
    brief.configure("[brief]\n" + line + "\n");
    REQUIRE_THROWS_WITH(brief.values(), file + ":2: " + why);
  }
  brief.configure("brief = 1\n");
  REQUIRE_THROWS_WITH(brief.values(), file + ":1: brief must be a table, as in [brief]");
  brief.configure("");
  for (const char* const wrong : {"-5s", "5 s", "8761h", "nan", "s"}) {
    const variable_set limit("BRIEF_LIMIT", wrong);
    REQUIRE_THROWS_WITH(brief.values(),
                        "BRIEF_LIMIT must be a duration such as \"5s\" or "
                        "\"250ms\", got \"" +
                            std::string(wrong) + "\"");
  }
  for (const auto& [text, expected] : {std::pair{"5", 5000ms}, {"1.5s", 1500ms}, {"0.1ms", 0ms}}) {
    const variable_set limit("BRIEF_LIMIT", text);
    brief.values();
    REQUIRE(*brief.limit == expected);
  }
  const variable_set count("BRIEF_MAX_COUNT", "many");
  REQUIRE_THROWS_WITH(brief.values(), "BRIEF_MAX_COUNT must be a whole number, got \"many\"");
  REQUIRE_FALSE(fs::exists(brief.directory.path() / "server.json"));
}

TEST_CASE("a name that is not valid, or that berth uses, is refused") {
  service served("brief", "1");
  served.option("greeting", "hello", "What it says");
  for (const char* const name :
       {"host", "port", "config_dir", "instance", "require_token", "plugin", "log_level", "log",
        "version", "help", "registry", "server_port"})
    REQUIRE_THROWS_WITH(served.option(name, 1, ""),
                        Catch::Contains("because berth uses that name"));
  for (const char* const name : {"", "Greeting", "max-count", "2nd", "a b", "_a"})
    REQUIRE_THROWS_WITH(served.option(name, 1, ""), Catch::Contains("is not a valid name"));
  REQUIRE_THROWS_WITH(served.option("greeting", 1, ""), Catch::Contains("declared twice"));
  service unlucky("server", "1");
  REQUIRE_THROWS_AS(unlucky.option("greeting", "hello", ""), invalid_value);
}

TEST_CASE("the example takes its options from the command line, the environment and a file") {
  test::temporary_directory directory;
  REQUIRE_THAT(greeting_of(directory.path(), {}), Catch::StartsWith("hello after "));
  write(directory.path() / "config.toml", "[hello]\ngreeting = \"from a file\"\n");
  REQUIRE_THAT(greeting_of(directory.path(), {"--loud"}), Catch::StartsWith("from a file! after "));
  REQUIRE_THAT(greeting_of(directory.path(), {}, {{"HELLO_GREETING", "from a variable"}}),
               Catch::StartsWith("from a variable after "));
  REQUIRE_THAT(
      greeting_of(directory.path(), {"--greeting", "hey"}, {{"HELLO_GREETING", "variable"}}),
      Catch::StartsWith("hey after "));
}

TEST_CASE("a wrong command line ends with status 2, a wrong file or variable with 1") {
  test::temporary_directory directory;
  const auto start = [&](std::vector<std::string> arguments,
                         const std::map<std::string, std::string>& environment = {}) {
    arguments.insert(arguments.begin(), {HELLO_SERVER, "--config-dir", directory.path().string()});
    return test::run(arguments, directory.path(), environment);
  };
  const auto wrong = start({"--pause", "soon"});
  REQUIRE(wrong.status == 2);
  REQUIRE(
      wrong.err ==
      "hello-server: --pause must be a duration such as \"5s\" or \"250ms\", got \"soon\"; see: "
      "hello-server --help\n");
  REQUIRE(start({"--loudly"}).status == 2);
  const auto variable = start({}, {{"HELLO_PAUSE", "soon"}});
  REQUIRE(variable.status == 1);
  REQUIRE_THAT(variable.err, Catch::Contains("HELLO_PAUSE must be a duration"));
  write(directory.path() / "config.toml", "[hello]\npause = 5\n");
  const auto file = start({});
  REQUIRE(file.status == 1);
  REQUIRE_THAT(file.err, Catch::Contains("config.toml:2: hello.pause must be a duration"));
}

TEST_CASE("--help lists the options of the service with their defaults") {
  const auto help = test::run({HELLO_SERVER, "--help"});
  REQUIRE(help.status == 0);
  for (const char* const part : {"--greeting", "What it says first (hello)", "--pause",
                                 "Time between two beats (1s)", "--loud", "(false)"})
    REQUIRE_THAT(help.out, Catch::Contains(part));
}

TEST_CASE("log lines of a service begin with the time, and its announcement does not") {
  test::temporary_directory directory;
  write(directory.path() / "config.toml", "[hello]\ngreting = \"hi\"\n");
  test::process server({HELLO_SERVER, "--config-dir", directory.path().string()}, directory.path());
  REQUIRE(test::eventually([&] { return server.err().find("listening on") != std::string::npos; }));
  const std::string text = server.err();
  REQUIRE_THAT(text, Catch::Matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z "
                                    "hello-server: warning: [^\n]*config.toml:2: unknown key "
                                    "hello.greting is ignored\n"
                                    "hello-server listening on tcp://127[^\n]*\n"));
}

TEST_CASE("berth itself accepts the table of a service in config.toml without a word") {
  test::temporary_directory directory;
  write(directory.path() / "config.toml", "[hello]\ngreeting = \"hi\"\n");
  const auto looked = test::run(
      {BERTH_COMMAND, "--app", "hello", "--config-dir", directory.path().string(), "status"});
  REQUIRE(looked.status == 3);
  REQUIRE(looked.err.find("unknown key") == std::string::npos);
}
