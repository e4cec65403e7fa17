#include <berth/base/error.hpp>
#include <berth/config/directory.hpp>
#include <berth/config/environment.hpp>
#include <berth/config/settings.hpp>
#include <berth/store/location.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
namespace fs = std::filesystem;

namespace {

/// Sets a variable for one test.
class variable_set {
 public:
  variable_set(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  variable_set(const variable_set&) = delete;
  variable_set& operator=(const variable_set&) = delete;
  ~variable_set() { ::unsetenv(name_); }

 private:
  const char* name_;
};

std::string failure_of(const fs::path& directory) {
  try {
    validate(load_settings("pm", directory));
  } catch (const invalid_value& invalid) {
    return invalid.what();
  }
  return "accepted";
}

std::string path_of(const fs::path& here, std::map<std::string, std::string> environment = {}) {
  const auto told = test::run({BERTH_COMMAND, "path"}, here, environment);
  REQUIRE(told.status == 0);
  return told.out;
}

}  // namespace

TEST_CASE("row 15: nothing configured gives the defaults") {
  test::temporary_directory directory;
  const auto settings = load_settings("pm", directory.path());
  REQUIRE(settings.host == "127.0.0.1");
  REQUIRE(settings.port == 0);
  REQUIRE(settings.max_connections == 10000);
  REQUIRE(settings.idle_shutdown_secs == 0);
  REQUIRE_NOTHROW(validate(settings));
}

TEST_CASE("row 12: PM_SERVER_PORT=0 is accepted") {
  test::temporary_directory directory;
  const variable_set port("PM_SERVER_PORT", "0");
  REQUIRE(failure_of(directory.path()) == "accepted");
}

TEST_CASE("row 13: PM_SERVER_PORT=500 is refused to the letter") {
  test::temporary_directory directory;
  const variable_set port("PM_SERVER_PORT", "500");
  REQUIRE(failure_of(directory.path()) == "server.port must be 0 (auto) or >= 1024, got 500");
}

TEST_CASE("row 14: max_connections outside 1-100000 is refused to the letter") {
  test::temporary_directory directory;
  for (const std::string value : {"0", "100001", "-3"}) {
    const variable_set most("PM_SERVER_MAX_CONNECTIONS", value);
    REQUIRE(failure_of(directory.path()) ==
            "server.max_connections must be 1-100000, got " + value);
  }
}

TEST_CASE("a variable that does not parse is an error that names it") {
  test::temporary_directory directory;
  for (const std::string value : {"abc", "12x", " 1", "1.5", "99999999999999999999"}) {
    const variable_set port("PM_SERVER_PORT", value);
    REQUIRE_THAT(failure_of(directory.path()),
                 Catch::Contains("PM_SERVER_PORT") && Catch::Contains(value));
  }
}

TEST_CASE("the environment goes before the file, the file before the default") {
  test::temporary_directory directory;
  test::write_text(directory.path() / "config.toml",
                   "[server]\nport = 2000\nhost = \"::1\"\nidle_shutdown_secs = 9\n");
  auto settings = load_settings("pm", directory.path());
  REQUIRE(settings.port == 2000);
  REQUIRE(settings.host == "::1");
  REQUIRE(settings.idle_shutdown_secs == 9);
  const variable_set port("PM_SERVER_PORT", "3000");
  const variable_set host("PM_SERVER_HOST", "localhost");
  settings = load_settings("pm", directory.path());
  REQUIRE(settings.port == 3000);
  REQUIRE(settings.host == "localhost");
}

TEST_CASE("a bad config.toml is an error that names file and line") {
  test::temporary_directory directory;
  const auto path = directory.path() / "config.toml";
  const std::pair<std::string, std::string> bad[] = {
      {"[server]\nport = \n", "config.toml:2: "},
      {"[server]\n\nport = \"x\"\n", "config.toml:3: server.port must be a whole number"},
      {"[server]\nport = 1.5\n", "config.toml:2: server.port must be a whole number"},
      {"[server]\nhost = 1\n", "config.toml:2: server.host must be a string"},
      {"server = 1\n", "config.toml:1: server must be a table"},
      {"[server]\nhost = \"\"\n", "server.host must not be empty"},
      {"[server]\nhost = \"a b\"\n", "server.host must be a DNS name, an IPv4 address or"},
      {"[server]\nhost = \"127.1\"\n", "server.host must be a DNS name, an IPv4 address or"},
      {"[server]\nport = 70000\n", "server.port must be at most 65535, got 70000"},
      {"[server]\nport = -1\n", "server.port must be 0 (auto) or >= 1024, got -1"},
      {"[server]\nidle_shutdown_secs = 31536001\n",
       "server.idle_shutdown_secs must be 0-31536000, got 31536001"},
  };
  for (const auto& [text, message] : bad) {
    test::write_text(path, text);
    INFO(text);
    REQUIRE_THAT(failure_of(directory.path()), Catch::Contains(message));
  }
  fs::remove(path);
  fs::create_directory(path);
  REQUIRE_THAT(failure_of(directory.path()), Catch::Contains("not a regular file"));
}

TEST_CASE("an unknown key is no error") {
  test::temporary_directory directory;
  test::write_text(directory.path() / "config.toml", "other = 1\n[server]\nprot = 1\n");
  REQUIRE(failure_of(directory.path()) == "accepted");
}

TEST_CASE("the example configuration is what is built in") {
  test::temporary_directory directory;
  fs::copy_file(EXAMPLE_CONFIG, directory.path() / "config.toml");
  const auto settings = load_settings("pm", directory.path());
  REQUIRE(settings.port == server_settings().port);
  REQUIRE(settings.host == server_settings().host);
  REQUIRE(settings.max_connections == server_settings().max_connections);
  REQUIRE(settings.idle_shutdown_secs == server_settings().idle_shutdown_secs);
}

TEST_CASE("variables are named after the application") {
  REQUIRE(variable_name("pm", "SERVER_PORT") == "PM_SERVER_PORT");
  REQUIRE(variable_name("my-app.2", "LOG") == "MY_APP_2_LOG");
}

TEST_CASE("names that could leave the directory are refused") {
  for (const std::string name : {"", ".", "..", "a/b", "-x", ".hidden", "a b", "a\nb"})
    REQUIRE_THROWS_AS(location("pm", "/x", name), invalid_value);
  REQUIRE_NOTHROW(location("pm", "/x", "server-2.test_1"));
}

TEST_CASE("the directory: given, environment, nearest above, current, in this order") {
  test::temporary_directory place;
  const fs::path root = fs::canonical(place.path());
  const fs::path deep = root / "a" / "b";
  fs::create_directories(deep);
  const std::map<std::string, std::string> home{{"HOME", "/nonexistent"}};
  REQUIRE(path_of(deep, home) == (deep / ".pm/server.json\n").string());
  fs::create_directory(root / ".pm");
  REQUIRE(path_of(deep, home) == (root / ".pm/server.json\n").string());
  fs::create_directory(root / "a" / ".pm");
  REQUIRE(path_of(deep, home) == (root / "a/.pm/server.json\n").string());
  REQUIRE(path_of(deep, {{"PM_CONFIG_DIR", "/elsewhere"}}) == "/elsewhere/server.json\n");
  REQUIRE(path_of(deep, {{"PM_CONFIG_DIR", ""}, {"HOME", "/nonexistent"}}) ==
          (root / "a/.pm/server.json\n").string());
  const auto given = test::run({BERTH_COMMAND, "--config-dir", "/given", "path"}, deep,
                               {{"PM_CONFIG_DIR", "/elsewhere"}});
  REQUIRE(given.out == "/given/server.json\n");
}

TEST_CASE("the way up ends with the home directory") {
  test::temporary_directory place;
  const fs::path root = fs::canonical(place.path());
  const fs::path home = root / "home";
  fs::create_directories(home / "work");
  fs::create_directory(root / ".pm");
  REQUIRE(path_of(home / "work", {{"HOME", home}}) == (home / "work/.pm/server.json\n").string());
  fs::create_directory(home / ".pm");
  REQUIRE(path_of(home / "work", {{"HOME", home}}) == (home / ".pm/server.json\n").string());
}

TEST_CASE("the way up ends before another file system") {
  // /dev/shm is a file system of its own below /dev, where nobody keeps a .pm directory.
  test::temporary_directory place;
  std::string name = "/dev/shm/berth-test-XXXXXX";
  if (!::mkdtemp(name.data())) return;
  const auto found = path_of(name, {{"HOME", "/nonexistent"}});
  fs::remove_all(name);
  REQUIRE(found == name + "/.pm/server.json\n");
}
