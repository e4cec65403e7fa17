// Handing over to a replacement, and which servers are asked to stop.
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <berth/discovery/port_file.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>
#include <berth/record/record.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/store/location.hpp>

#include <fmt/format.h>

#include "starting/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace starting_test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("a server that cannot hand over is not replaced: refused at once, nothing changed") {
  workspace at;
  test::process announcing({BERTH_COMMAND, "announce", "--port", "9"}, at.here);
  REQUIRE(test::eventually([&] { return read_live(at.where).has_value(); }));
  const auto before = *read_live(at.where);
  const auto refused = at.berth({"replace", "--timeout", "60", "--", PM_SERVER});
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err,
               Catch::Contains("cannot hand over") && Catch::Contains("stop it first"));
  REQUIRE(*read_live(at.where) == before);
  REQUIRE_FALSE(fs::exists(at.where.directory / "server.log"));
  REQUIRE(at.berth({"stop", "--timeout", "10"}).status == 0);
  REQUIRE(announcing.wait().status == 0);
}

TEST_CASE("a server elsewhere is never asked to stop by the pid that it has there") {
  workspace at;
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  const auto here = *read_live(at.where);
  record elsewhere = here;
  elsewhere.lock.clear();
  elsewhere.version = "0.1";
  for (const bool other_host : {false, true}) {
    elsewhere.origin = here.origin;
    if (other_host)
      elsewhere.origin.host_id = elsewhere.origin.boot_id = "another";
    else
      elsewhere.origin.pid_namespace += 1;
    const location where("other", at.here / (other_host ? "host" : "namespace"));
    fs::create_directory(where.directory);
    fs::permissions(where.directory, fs::perms(0700));
    test::write_text(where.port_file(), format_record(elsewhere));
    for (std::vector<std::string> words :
         {std::vector<std::string>{"stop"}, {"ensure", "--min-version", "1", "--", "true"}}) {
      words.insert(words.begin(), {"--app", "other", "--config-dir", where.directory.string()});
      const auto refused = at.berth(words);
      REQUIRE(refused.status == 1);
      REQUIRE_THAT(refused.err, Catch::Contains("on another machine or in another pid namespace"));
    }
  }
  REQUIRE(read_live(at.where)->instance_id == here.instance_id);
}

TEST_CASE("a server hands over to the one that replaces it, and nobody misses it meanwhile") {
  workspace at;
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  const auto old = *read_live(at.where);
  test::process replacing({BERTH_COMMAND, "replace", "--", PM_SERVER}, at.here);
  int reads = 0;
  while (replacing.running()) {
    for (int i = 0; i < 100; ++i, ++reads) REQUIRE(read_live(at.where));
  }
  REQUIRE(replacing.wait().status == 0);
  const auto now = *read_live(at.where);
  REQUIRE(now.instance_id != old.instance_id);
  REQUIRE(replacing.out() == url_of(now) + "\n");
  REQUIRE_THAT(test::read_text(at.where.directory / "server.log"),
               Catch::Contains(fmt::format("handing over to PID {}", now.pid)));
  WARN(reads << " look-ups while one server took the place of another");
  // It owns the place like any other.
  REQUIRE(test::run({PM_SERVER}, at.here).status == 4);
  REQUIRE(at.berth({"stop", "--timeout", "10"}).status == 0);
  at.check_clean();
}

TEST_CASE("a replacement that fails leaves the old server as it was") {
  workspace at;
  REQUIRE(at.ensure({}, {PM_SERVER}).status == 0);
  const auto old = *read_live(at.where);
  REQUIRE(at.berth({"replace", "--", "false"}).status == 1);
  REQUIRE(at.berth({"replace", "--timeout", "0.3", "--", "sleep", "1000"}).status == 5);
  REQUIRE(read_live(at.where)->instance_id == old.instance_id);
  REQUIRE(test::run({"env", "BERTH_REPLACES=another", PM_SERVER}, at.here).status == 4);
  REQUIRE(read_live(at.where)->instance_id == old.instance_id);
}

TEST_CASE("stop --now does not wait for requests in flight") {
  workspace at;
  REQUIRE(at.ensure({}, {ECHO_SERVER, "--config-dir", at.where.directory.string()}).status == 0);
  const auto found = read_live(at.where);
  const auto body = [](workspace& in, endpoint to) -> task<> {
    auto connected = co_await tcp_connect(to);
    REQUIRE(connected);
    const auto begun = std::chrono::steady_clock::now();
    REQUIRE(in.berth({"stop", "--now", "--timeout", "8"}).status == 0);
    REQUIRE(std::chrono::steady_clock::now() - begun < 8s);  // the soft deadline alone is 10 s
  };
  run(body(at, {"127.0.0.1", found->port}));
}
