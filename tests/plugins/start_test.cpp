// Which plugins are loaded, and why one aborts start-up.
#include <signal.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <berth/coro/deadline.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/tcp.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

#include "plugins/plugged.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/user_configuration.hpp"

using namespace berth;
using namespace plugins_test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::string refusal_of(const fs::path& path, values given = {}) {
  plugged at;
  at.served.load_plugin(path, std::move(given));
  const std::string said = at.refusal();
  const std::string begin = "plugin " + path.string() + ": ";
  if (said.starts_with(begin)) return said.substr(begin.size());
  return said;
}

}  // namespace

TEST_CASE("a setting that its plugin never reads is reported, naming both") {
  test::temporary_directory directory;
  const std::string plugin = std::string(PLUGIN_STAMP) + "=team=blue,colour=red";
  test::process server({PM_SERVER, "--config-dir", directory.path().string(), "--plugin", plugin},
                       directory.path());
  const auto says = [&](std::string_view text) {
    return server.err().find(text) != std::string::npos;
  };
  REQUIRE(test::eventually([&] { return says("setting colour"); }));
  REQUIRE(says("warning: plugin stamp does not use its setting colour"));
  REQUIRE_FALSE(says("setting team"));
}

TEST_CASE("a plugin that cannot be used stops the start, with its file and the reason") {
  test::temporary_directory directory;
  REQUIRE(refusal_of("/nonexistent/plugin.so") == "No such file or directory");
  REQUIRE(refusal_of(directory.path()) == "it is not a file");
  const auto text = directory.path() / "text.so";
  test::write_text(text, "no shared object");
  REQUIRE_THAT(refusal_of(text), Catch::Contains("cannot load") && Catch::Contains(text.string()));
  REQUIRE(refusal_of(PLUGIN_STRANGER) == "it exports no berth_plugin_entry");
  REQUIRE(refusal_of(PLUGIN_FUTURE) == "it was built for plugin interface 2, but this is 1");
  REQUIRE(refusal_of(PLUGIN_NOTHING) == "its berth_plugin_entry returned null");
  REQUIRE(refusal_of(PLUGIN_UNRULY, {{"start", "refuse"}}) ==
          "it does not start: it does not want to");
  REQUIRE(refusal_of(PLUGIN_UNRULY, {{"start", "throw"}}) ==
          "it does not start: it threw through the C interface");
  REQUIRE(refusal_of(PLUGIN_SLEEPY, {{"does", "refuse"}}) ==
          "it does not start: it does not want to");
  REQUIRE(refusal_of(PLUGIN_SLEEPY, {{"at", "lunch"}}) ==
          "it does not start: there is no hook point \"lunch\"");
  const auto open = copy_of(PLUGIN_UNRULY, directory.path() / "open.so");
  fs::permissions(open, fs::perms(0757));
  REQUIRE_THAT(refusal_of(open), Catch::Contains("is writable by everybody (mode 0757)") &&
                                     Catch::EndsWith("chmod go-w " + fs::canonical(open).string()));
  plugged twice;
  twice.served.load_plugin(PLUGIN_UNRULY);
  twice.served.load_plugin(PLUGIN_UNRULY);
  REQUIRE_THAT(twice.refusal(), Catch::EndsWith(": it is loaded already"));
}

TEST_CASE("a plugin that misbehaves before publishing stops the start, and is named") {
  const std::pair<const char*, const char*> ways[] = {
      {"throw", "it threw through the C interface"},
      {"fail", "as it was told"},
      {"hang", "it took longer than 30 ms, and was cancelled"},
      {"late", "it took longer than 30 ms, and was cancelled"},
  };
  for (const auto& point : before_publishing)
    for (const auto& [does, reason] : ways) {
      plugged at;
      at.served.load_plugin(PLUGIN_UNRULY, {{"at", point}, {"does", does}});
      INFO(point << " " << does);
      REQUIRE(at.refusal() == "hook \"unruly\" at \"" + point + "\" failed: " + reason);
    }
}

TEST_CASE("a plugin without a slash is an installed one, never a file of the current directory") {
  const test::temporary_directory here;
  fs::copy_file(PLUGIN_STAMP, here.path() / "libstamp.so");
  fs::permissions(here.path() / "libstamp.so", fs::perms(0755));
  const auto told =
      test::run({PM_SERVER, "--plugin", "libstamp.so", "--config-dir", "pm"}, here.path());
  REQUIRE(told.status == 1);
  REQUIRE_THAT(told.err,
               Catch::Contains("plugin libstamp.so: no plugin of that name is installed in /") &&
                   Catch::Contains("such as ./libstamp.so"));
  test::process loaded({PM_SERVER, "--plugin", "./libstamp.so=team=blue", "--config-dir", "pm"},
                       here.path());
  REQUIRE(test::eventually([&] { return loaded.err().find("listening") != std::string::npos; }));
  loaded.signal(SIGTERM);
  REQUIRE(loaded.wait().status == 0);
}

TEST_CASE("what [[plugin]] may not be is an error that names file and line") {
  const std::pair<std::string, std::string> bad[] = {
      {"plugin = 1", ":1: plugin must be an array of tables, as in [[plugin]]"},
      {"plugin = [1]", ":1: a plugin needs a path, a string"},
      {"[[plugin]]\nname = \"x\"", ":1: a plugin needs a path, a string"},
      {"[[plugin]]\npath = \"x\"\ny = 1.5",
       ":3: plugin.y must be a string, a whole number or a boolean"},
  };
  for (const auto& [text, reason] : bad) {
    plugged at;
    const test::user_configuration own(at.directory.path(), "plugged");
    test::write_text(own.file, text);
    REQUIRE(at.refusal() == own.file.string() + reason);
  }
}

TEST_CASE("services load plugins by their command line") {
  test::temporary_directory directory;
  const auto ran = [&](const std::string& plugin) {
    return test::run({PM_SERVER, "--config-dir", directory.path().string(), "--plugin", plugin},
                     directory.path());
  };
  REQUIRE(ran("=a=b").status == 2);
  REQUIRE(ran("x.so=a").status == 2);
  REQUIRE(ran("x.so==b").status == 2);
  const auto missing = ran("x.so=a=b,c=d");
  REQUIRE(missing.status == 1);
  REQUIRE_THAT(missing.err, Catch::Contains("plugin x.so: no plugin of that name is installed"));
  const auto refused = ran(PLUGIN_STAMP);
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err, Catch::Contains("it does not start: it needs a team"));

  test::process server({PM_SERVER, "--config-dir", directory.path().string(), "--plugin",
                        std::string(PLUGIN_STAMP) + "=team=blue", "--plugin",
                        std::string(PLUGIN_GREETER) + "=greeting=moin"},
                       directory.path());
  const location where("pm", directory.path());
  REQUIRE(test::eventually([&] { return read_live(where).has_value(); }));
  const record found = *read_live(where);
  REQUIRE(found.metadata.at("team") == "blue");
  const auto greeted = [](endpoint at) -> task<std::string> {
    auto client = co_await tcp_connect(at);
    std::array<std::byte, 100> buffer;
    const auto size = co_await client->read_some(buffer, deadline::after(10s));
    co_return std::string(reinterpret_cast<const char*>(buffer.data()), *size);
  };
  REQUIRE(run(greeted({"127.0.0.1", found.endpoints.at("greeter").port})) == "moin\n");
}
