// Plugins: what is refused, and that nothing a plugin does reaches beyond it.
#include <malloc.h>
#include <signal.h>

#include <array>
#include <berth/client/async.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/tcp.hpp>
#include <berth/plugin/plugin_host.hpp>
#include <berth/service/service.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/user_configuration.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

using values = std::map<std::string, std::string>;

/// A service with plugins, in a fresh directory.
struct plugged {
  plugged() {
    drain_times times;
    times.quiet = 1ms;
    served.set_drain_times(times);
    served.on_connection([](tcp_stream) -> task<> { co_return; });
  }

  service::overrides given() const {
    service::overrides all;
    all.config_dir = directory.path();
    return all;
  }
  static task<> connect(const record& server) {
    auto client = co_await tcp_connect(endpoint("127.0.0.1", server.port));
    std::array<std::byte, 1> buffer;
    REQUIRE(client);
    const auto ended = co_await client->read_some(buffer);
    (void)ended;
  }
  static task<> whole_life(plugged& self, record& published) {
    const auto here = co_await current_context();
    scope tasks(here);
    tasks.spawn(self.served.serve(self.given()));
    const auto found = co_await async::wait_live(self.where, deadline::after(10s));
    published = *found;
    co_await connect(published);
    self.served.stop();
    co_await tasks.join();
  }
  /// Starts, is connected to once, and stops; what was published.
  record live() {
    record published;
    run(whole_life(*this, published));
    return published;
  }
  std::string refusal() {
    try {
      run(served.serve(given()));
    } catch (const std::exception& refused) {
      REQUIRE_FALSE(fs::exists(where.port_file()));
      return refused.what();
    }
    return "not refused";
  }
  std::vector<std::string> journal() const {
    std::istringstream text(test::read_text(directory.path() / "journal"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
  std::string journal_path() const { return (directory.path() / "journal").string(); }

  test::temporary_directory directory;
  location where{"plugged", directory.path()};
  service served{"plugged", "1"};
};

std::string refusal_of(const fs::path& path, values given = {}) {
  plugged at;
  at.served.load_plugin(path, std::move(given));
  const std::string said = at.refusal();
  const std::string begin = "plugin " + path.string() + ": ";
  if (said.starts_with(begin)) return said.substr(begin.size());
  return said;
}

fs::path copy_of(const fs::path& plugin, const fs::path& to) {
  fs::copy_file(plugin, to);
  return to;
}

const std::vector<std::string> before_publishing = {"configured", "bound", "publishing"};
const std::vector<std::string> after = {
    "published",   "ready",  "connection_opened", "connection_closed", "draining",
    "unpublished", "stopped"};

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

TEST_CASE("a plugin that misbehaves later stops nothing") {
  for (const auto& point : after)
    for (const std::string does : {"throw", "fail", "hang", "late", "twice", "nothing"}) {
      plugged at;
      at.served.load_plugin(
          PLUGIN_UNRULY,
          {{"at", point}, {"does", does}, {"journal", at.journal_path()}, {"name", "it"}});
      INFO(point << " " << does);
      REQUIRE(at.live().pid == static_cast<std::uint32_t>(::getpid()));
      REQUIRE_FALSE(fs::exists(at.where.port_file()));
      REQUIRE(at.journal() ==
              std::vector<std::string>{"it starts", "it called at " + point, "it stops"});
    }
}

TEST_CASE("coroutines of a plugin are cancelled in time, and their failures contained") {
  for (const std::string point : {"publishing", "ready", "connection_opened", "stopped"})
    for (const std::string does : {"sleep", "oversleep", "throw"}) {
      plugged at;
      at.served.load_plugin(PLUGIN_SLEEPY, {{"at", point}, {"does", does}});
      INFO(point << " " << does);
      if (point == "publishing" && does != "sleep")
        REQUIRE_THAT(at.refusal(), Catch::Contains(does == "throw" ? "as it was told"
                                                                   : "it took longer than 50 ms"));
      else
        REQUIRE(at.live().metadata.contains("slept") == (point == "publishing"));
    }
}

TEST_CASE("a coroutine of a plugin is not run on another thread than its own") {
  plugged at;
  at.served.threads(2);
  at.served.load_plugin(PLUGIN_SLEEPY, {{"at", "connection_opened"}, {"does", "sleep"}});
  for (int i = 0; i < 10; ++i) (void)at.live();
}

TEST_CASE("a hook is told what there is to tell, and may change what is published alone") {
  for (const auto& points : {before_publishing, after})
    for (const auto& point : points) {
      plugged at;
      at.served.load_plugin(
          PLUGIN_UNRULY,
          {{"at", point}, {"does", "texts"}, {"journal", at.journal_path()}, {"name", "-"}});
      const record published = at.live();
      const auto all = at.journal();
      const auto noted = [&](const std::string& line) {
        return std::any_of(all.begin(), all.end(),
                           [&](const auto& each) { return each.starts_with("- " + line); });
      };
      INFO(point);
      REQUIRE(noted("point=" + point));
      REQUIRE(noted("application=plugged"));
      REQUIRE(noted("instance=server"));
      REQUIRE(noted("path=" + at.where.port_file().string().substr(0, 60)));
      REQUIRE(noted("record={") == (point == "publishing" || point == "published"));
      REQUIRE(noted("port=") == (point == "bound"));
      REQUIRE(noted("peer=127.0.0.1:") == point.starts_with("connection"));
      REQUIRE(noted("reason=requested") == (point == "draining"));
      REQUIRE(noted(point == "publishing" ? "may add" : "may not add"));
      REQUIRE_FALSE(noted("nonsense"));
      REQUIRE_FALSE(noted("what cannot be"));
      REQUIRE(published.metadata.contains("a") == (point == "publishing"));
      REQUIRE(published.endpoints.contains("c") == (point == "publishing"));
    }
}

TEST_CASE(
    "plugins start in their order, those of the user's config.toml first, and stop in reverse") {
  plugged at;
  const test::user_configuration own(at.directory.path(), "plugged");
  const auto one = copy_of(PLUGIN_UNRULY, at.directory.path() / "one.so");
  const auto two = copy_of(PLUGIN_UNRULY, at.directory.path() / "two.so");
  test::write_text(
      own.file, "[[plugin]]\npath = \"../one.so\"\nname = \"one\"\nremoves = true\njournal = \"" +
                    at.journal_path() + "\"\n");
  at.served.load_plugin(two, {{"name", "two"}, {"journal", at.journal_path()}});
  (void)at.live();
  REQUIRE(at.journal() ==
          std::vector<std::string>{"one starts", "two starts", "two stops", "one stops"});
}

TEST_CASE("those that have started are stopped when the next one does not start") {
  plugged at;
  const auto one = copy_of(PLUGIN_UNRULY, at.directory.path() / "one.so");
  const auto two = copy_of(PLUGIN_UNRULY, at.directory.path() / "two.so");
  at.served.load_plugin(one, {{"name", "one"}, {"journal", at.journal_path()}});
  at.served.load_plugin(two,
                        {{"name", "two"}, {"start", "refuse"}, {"journal", at.journal_path()}});
  REQUIRE_THAT(at.refusal(), Catch::EndsWith("it does not start: it does not want to"));
  REQUIRE(at.journal() == std::vector<std::string>{"one starts", "two starts", "one stops"});
}

TEST_CASE("a plugin that does not stop is left loaded, and the service ends") {
  plugged at;
  const auto stubborn = copy_of(PLUGIN_UNRULY, at.directory.path() / "stubborn.so");
  at.served.load_plugin(stubborn, {{"stop", "never"}});
  REQUIRE(at.live().port != 0);
  REQUIRE_THAT(test::read_text("/proc/self/maps"), Catch::Contains(stubborn.string()));
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

namespace {

struct bare_services final : plugin_services {
  const location& where() const noexcept override { return place; }
  void count(berth_counters&) const noexcept override {}
  bool use_listener(int) noexcept override { return false; }
  location place{"pm", "/nonexistent"};
};

task<> load_and_unload(const std::vector<plugin_settings>& plugins) {
  const auto here = co_await current_context();
  service_hooks hooks;
  bare_services services;
  plugin_host host(hooks, services);
  for (const auto& each : plugins) host.load(each);
  host.start(event_loop::of(here));
  co_await hooks.ready.fire();
  co_await host.stop();
  REQUIRE(hooks.ready.empty());
}

}  // namespace

TEST_CASE("loading and unloading a thousand times leaves nothing behind") {
  const std::vector<plugin_settings> plugins = {
      {PLUGIN_UNRULY, {{"at", "ready"}, {"does", "twice"}}},
      {PLUGIN_SLEEPY, {{"at", "ready"}, {"does", "sleep"}}}};
  event_loop loop;
  std::size_t used = 0;
  for (int round = 0; round < 1000; ++round) {
    if (round == 100) used = ::mallinfo2().uordblks;
    loop.run(load_and_unload(plugins));
  }
  REQUIRE(::mallinfo2().uordblks < used + 16 * 1024);
  const std::string maps = test::read_text("/proc/self/maps");
  // The loader keeps the other for as long as the thread that has data of its own in it.
  REQUIRE_THAT(maps, !Catch::Contains(PLUGIN_UNRULY));
  REQUIRE(loop.open_handles().empty());
}
