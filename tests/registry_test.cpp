// Registries, and how clients are spread over the servers that they find there.
#include <atomic>
#include <berth/client/async.hpp>
#include <berth/client/look_until.hpp>
#include <berth/client/registry_resolver.hpp>
#include <berth/client/registry_watch.hpp>
#include <berth/client/resolver.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/yield.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/plugins/base64.hpp>
#include <berth/plugins/etcd_registry.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

record server(const std::string& id) {
  record made = describe_this_process("127.0.0.1", 8080, "1");
  made.instance_id = id;
  return made;
}

std::vector<record> servers(std::initializer_list<const char*> ids) {
  std::vector<record> all;
  for (const char* const id : ids) all.push_back(server(id));
  return all;
}

/// The servers whose turn it is, one after the other.
std::string turns(server_rotation& rotation, int count, steady_time now) {
  std::string ids;
  for (int i = 0; i < count; ++i) ids += rotation.next(now)->instance_id;
  return ids;
}

/// Lists one server more each time, and reports a change at once.
class growing_registry final : public registry {
 public:
  task<result<std::vector<record>>> list(std::string, deadline) override {
    listed_.push_back(server(std::to_string(listed_.size())));
    co_return listed_;
  }
  task<result<void>> changed(std::string, deadline) override { co_return result<void>(); }
  std::string reason() const override { return "a test says so"; }

 private:
  std::vector<record> listed_;
};

task<result<std::vector<record>>> wait_for_servers(registry& asked, std::size_t count,
                                                   deadline until) {
  registry_watch watch(asked, "pm");
  const auto list = [&asked, until] { return asked.list("pm", until); };
  const auto enough = [count](const std::vector<record>& seen) { return seen.size() >= count; };
  auto seen = co_await look_until(watch, list, enough, until);
  co_return seen;
}

/// Fails twice in the same words, then sees something, fails again, and then has seen enough.
struct looks {
  task<std::optional<std::chrono::nanoseconds>> look() {
    ++count;
    if (count == 1 || count == 2 || count == 4)
      throw error("no answer", std::make_error_code(std::errc::timed_out));
    (void)co_await yield();
    if (count == 5) co_return std::nullopt;
    co_return std::chrono::nanoseconds::zero();
  }
  int count = 0, watches = 0;
  std::vector<std::string> reports;
};

task<> keep_looking_until_enough(looks& seen, growing_registry& asked) {
  const auto make_watch = [&] {
    ++seen.watches;
    return registry_watch(asked, "pm");
  };
  const auto look = [&] { return seen.look(); };
  const auto report = [&](const std::string& refusal) { seen.reports.push_back(refusal); };
  co_await keep_looking(make_watch, look, report, retry_pauses{1ms, 1ms});
}

/// Counts how often it is asked, and finds every server dead.
class all_dead final : public liveness_strategy {
 public:
  verdict judge(const evidence&) const override {
    ++asked;
    return {liveness::dead, "a test says so"};
  }
  mutable std::atomic<int> asked = 0;
};

/// The list of this user's servers in a directory of the test's own.
struct own_list {
  own_list() { ::setenv("BERTH_LIST_DIR", (directory.path() / "berth").c_str(), 1); }
  ~own_list() { ::unsetenv("BERTH_LIST_DIR"); }
  test::temporary_directory directory;
};

}  // namespace

TEST_CASE("servers take turns, and one that comes is asked next") {
  server_rotation rotation;
  const steady_time now{};
  REQUIRE_FALSE(rotation.next(now));
  rotation.update(servers({"a", "b", "c"}));
  REQUIRE(turns(rotation, 7, now) == "abcabca");
  rotation.update(servers({"a", "b", "c", "d"}));
  REQUIRE(turns(rotation, 5, now) == "dbcad");
  rotation.update(servers({"b", "d"}));
  REQUIRE(turns(rotation, 4, now) == "bdbd");
  rotation.update({});
  REQUIRE_FALSE(rotation.next(now));
}

TEST_CASE("a server that failed is asked last, and as the others after a while") {
  server_rotation rotation;
  const steady_time now{};
  rotation.update(servers({"a", "b", "c"}));
  rotation.failed(server("a"), now);
  rotation.failed(server("nobody"), now);
  REQUIRE(turns(rotation, 4, now) == "bcbc");
  rotation.failed(server("c"), now + 1s);
  rotation.failed(server("b"), now + 2s);
  // All have failed: the one that did so first has had most time to recover.
  REQUIRE(turns(rotation, 2, now + 3s) == "aa");
  rotation.failed(server("a"), now + 3s);
  REQUIRE(turns(rotation, 2, now + 4s) == "cc");
  rotation.update(servers({"a", "b", "c"}));
  REQUIRE(turns(rotation, 2, now + 4s) == "cc");
  const auto forgotten = now + 3s + server_rotation::forgotten_after;
  REQUIRE(turns(rotation, 6, forgotten) == "bacbac");
}

TEST_CASE("the file system is a registry: a client sees servers come and go") {
  const own_list list;
  test::temporary_directory one, two;
  const auto body = [](std::filesystem::path first_at, std::filesystem::path second_at) -> task<> {
    const auto here = co_await current_context();
    file_registry files;
    registry_resolver known(here, files, "pm");
    const auto until = [] { return deadline::after(20s); };
    const auto serve = [](const std::filesystem::path& at) {
      const location where("pm", at);
      auto owned = std::make_unique<claim>(where, describe_this_process("127.0.0.1", 8080, "1"));
      REQUIRE(instance_list::held_entry(where).hold());
      return owned;
    };
    auto first = serve(first_at);
    auto changed = co_await known.changed(until());
    REQUIRE(changed);
    REQUIRE(known.all().size() == 1);
    auto second = serve(second_at);
    changed = co_await known.changed(until());
    REQUIRE(known.all().size() == 2);
    const auto asked = known.next();
    REQUIRE(known.next()->instance_id != asked->instance_id);
    known.failed(*asked);
    REQUIRE(known.next()->instance_id != asked->instance_id);
    first->remove();  // as one that is killed, it leaves its entry
    changed = co_await known.changed(until());
    REQUIRE(changed);
    REQUIRE(known.all().size() == 1);
    const auto none = co_await known.changed(deadline::after(1ms));
    REQUIRE(none.timed_out());
    co_await known.close();
  };
  run(body(one.path(), two.path()));
}

TEST_CASE("registries are made by the scheme of their URL, and one's own can be added") {
  registry_factories factories;
  event_loop loop;
  REQUIRE(factories.open(loop, "file")->reason() == "its port file says so");
  REQUIRE_THROWS_WITH(factories.open(loop, "etcd://a:1"),
                      "\"etcd://a:1\" is not a registry: this program knows file");
  add_etcd(factories);
  REQUIRE(factories.open(loop, "etcd://a:1")->reason() == "its lease in etcd is kept alive");
  REQUIRE_THROWS_AS(factories.open(loop, "etcds://"), invalid_value);
  factories.add("mine", [](event_loop&, const std::string& url) -> std::unique_ptr<registry> {
    throw invalid_value("asked for " + url);
  });
  REQUIRE_THROWS_WITH(factories.open(loop, "mine:1"), "asked for mine:1");
}

TEST_CASE("a look is repeated until its predicate holds, for registries too") {
  growing_registry asked;
  const auto seen = run(wait_for_servers(asked, 3, deadline::never()));
  REQUIRE(seen);
  REQUIRE(seen->size() == 3);
  const auto late = run(wait_for_servers(asked, 1000000, deadline::after(20ms)));
  REQUIRE(late.timed_out());
}

TEST_CASE("a look that fails is tried again with a new watch, and reported once per text") {
  looks seen;
  growing_registry asked;
  run(keep_looking_until_enough(seen, asked));
  REQUIRE(seen.count == 5);
  REQUIRE(seen.watches == 3 + 1);
  REQUIRE(seen.reports == std::vector<std::string>{"no answer", "no answer"});
}

TEST_CASE("a stale file is judged once without and once under the lock") {
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  claim owned(where, server("a"));
  const all_dead strategy;
  const auto live = run(async::read_live(where, strategy));
  REQUIRE(live);
  REQUIRE_FALSE(*live);
  REQUIRE(strategy.asked == 2);
}

TEST_CASE("hooks of a client see each look and each change") {
  test::temporary_directory directory;
  const auto body = [](std::filesystem::path at) -> task<> {
    const auto here = co_await current_context();
    const location where("pm", at);
    client_hooks hooks;
    std::size_t looks = 0;
    std::vector<std::string> seen;
    hooks.resolving.add("count", [&](const location& asked) -> task<> {
      REQUIRE(asked.directory == at);
      ++looks;
      co_return;
    });
    hooks.resolved.add("fails", [](const std::optional<record>&) -> task<> {
      throw std::runtime_error("harmless");
      co_return;
    });
    hooks.resolved.add("note", [&](const std::optional<record>& now) -> task<> {
      seen.push_back(now ? now->version : "none");
      co_return;
    });
    resolver servers(here, where, default_liveness(), &hooks);
    std::optional<claim> owned(std::in_place, where, describe_this_process("127.0.0.1", 8080, "1"));
    auto changed = co_await servers.changed(deadline::after(20s));
    REQUIRE(changed);
    owned.reset();
    changed = co_await servers.changed(deadline::after(20s));
    REQUIRE(changed);
    co_await servers.close();
    REQUIRE(looks >= 2);
    REQUIRE(seen == std::vector<std::string>{"1", "none"});
    REQUIRE(hooks.statistics.failures == 2);
  };
  run(body(directory.path()));
}

TEST_CASE("who waits for a change is told when the resolver closes") {
  const own_list list;
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    file_registry files;
    registry_resolver known(here, files, "pm");
    scope waiting(here);
    bool told = false;
    waiting.spawn(
        [](registry_resolver& of, bool& into) -> task<> {
          const auto changed = co_await of.changed();
          into = changed.cancelled();
        },
        std::ref(known), std::ref(told));
    co_await known.close();
    co_await waiting.join();
    REQUIRE(told);
  };
  run(body());
}

TEST_CASE("the address of a registry") {
  const etcd_location plain("etcd://a:1");
  REQUIRE(plain.options.endpoints == std::vector<std::string>{"http://a:1"});
  REQUIRE(plain.prefix == "/berth");
  REQUIRE(plain.options.user.empty());
  const etcd_location full("etcds://me:p@ss:word@a:1,b:2/x/y/");
  REQUIRE(full.options.endpoints == std::vector<std::string>{"https://a:1", "https://b:2"});
  REQUIRE(full.prefix == "/x/y");
  REQUIRE(full.options.user == "me");
  REQUIRE(full.options.password == "p@ss:word");
  const etcd_location secure("etcds://a:1/x?ca=/c.pem&certificate=/d.pem&key=/k.pem");
  REQUIRE(secure.prefix == "/x");
  REQUIRE(secure.options.http.ca == "/c.pem");
  REQUIRE(secure.options.http.certificate == "/d.pem");
  REQUIRE(secure.options.http.key == "/k.pem");
  for (const std::string bad : {"etcds://a:1?x=y", "etcds://a:1?ca", "", "a:1", "http://a:1",
                                "etcd://", "etcd:///x", "etcd://,"})
    REQUIRE_THROWS_AS(etcd_location(bad), invalid_value);
}

TEST_CASE("the password of a registry stands in a file that only its owner may read") {
  test::temporary_directory directory;
  const auto file = directory.path() / "password";
  test::write_text(file, "hunter2\n");
  fs::permissions(file, fs::perms(0600));
  const std::string url = "etcd://root@a:1?password_file=" + file.string();
  const etcd_location read(url);
  REQUIRE(read.options.user == "root");
  REQUIRE(read.options.password == "hunter2");
  REQUIRE_THROWS_AS(etcd_location("etcd://root:other@a:1?password_file=" + file.string()),
                    invalid_value);
  fs::permissions(file, fs::perms(0640));
  REQUIRE_THROWS_WITH(etcd_location(url), Catch::Contains("chmod 600 " + file.string()));
  fs::permissions(file, fs::perms(0600));
  test::write_text(file, "\n");
  REQUIRE_THROWS_WITH(etcd_location(url), Catch::Contains("is empty"));
  fs::remove(file);
  REQUIRE_THROWS_WITH(etcd_location(url), Catch::Contains(file.string()));
}

TEST_CASE("no message about a registry's address repeats a password") {
  for (const std::string bad :
       {"etcd://me:hunter2@", "http://me:hunter2@a:1", "me:hunter2@a:1", "etcd://a:1?pw=hunter2",
        "etcd://me:a/hunter2@a:1?ca", "etcd://me:b@hunter2@"}) {
    INFO(bad);
    REQUIRE_THROWS_WITH(etcd_location(bad), !Catch::Contains("hunter2"));
  }
}

TEST_CASE("base64 carries any bytes, and refuses what is none") {
  // RFC 4648, 10.
  const std::pair<std::string, std::string> known[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : known) {
    REQUIRE(to_base64(bytes) == text);
    REQUIRE(from_base64(text) == bytes);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  REQUIRE(from_base64(to_base64(all)) == all);
  for (const std::string bad : {"Z", "Zg", "Zg=", "Z===", "====", "Zm9*", "Zm=v"})
    REQUIRE_FALSE(from_base64(bad));
}
