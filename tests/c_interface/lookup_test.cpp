// Look-ups and waits from C.
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include <berth/berth.h>

#include "c_interface/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace c_interface_test;
namespace fs = std::filesystem;

TEST_CASE("where there is no server C is told so, and what is wrong with a file") {
  workspace at;
  auto* server = reinterpret_cast<berth_record*>(&at);
  REQUIRE(berth_read(at.where.get(), &server) == BERTH_NO_LIVE_SERVER);
  REQUIRE(server == nullptr);
  const auto path = (at.here / "server.json").string();
  REQUIRE(says() == "No running pm-server found (checked " + path + ")");
  REQUIRE(berth_read_live(at.where.get(), &server) == BERTH_NO_LIVE_SERVER);
  REQUIRE(berth_remove_stale(at.where.get(), &server) == BERTH_NO_LIVE_SERVER);

  test::write_text(path, "{\"pid\": 1}");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  for (auto* const look : {berth_read, berth_read_live, berth_remove_stale}) {
    REQUIRE(look(at.where.get(), &server) == BERTH_INVALID_FILE);
    REQUIRE_THAT(says(), Catch::Contains(path) && Catch::Contains("\"port\" is missing"));
  }
}

TEST_CASE("a stale file is removed by C, which gives what it said") {
  workspace at;
  test::process ended({BERTH_COMMAND, "announce", "--config-dir", at.here, "--port", "8080"});
  berth_record* server = nullptr;
  REQUIRE(berth_wait(at.where.get(), 20000, &server) == BERTH_DONE);
  berth_record_free(server);
  REQUIRE(berth_remove_stale(at.where.get(), &server) == BERTH_NO_LIVE_SERVER);
  ended.signal(SIGKILL);
  ended.wait();
  REQUIRE(berth_read(at.where.get(), &server) == BERTH_DONE);
  berth_record_free(server);
  REQUIRE(berth_remove_stale(at.where.get(), &server) == BERTH_DONE);
  REQUIRE(berth_record_port(server) == 8080);
  berth_record_free(server);
  REQUIRE_FALSE(fs::exists(at.here / "server.json"));
}

TEST_CASE("a wait in C ends with the server that comes, or in time") {
  workspace at;
  berth_record* server = nullptr;
  REQUIRE(berth_wait(at.where.get(), 20, &server) == BERTH_TIMED_OUT);
  REQUIRE(server == nullptr);
  REQUIRE(says() == "No running pm-server appeared in time (watched " +
                        (at.here / "server.json").string() + ")");
  std::atomic<bool> waited = false;
  std::thread later([&] {
    const found made = make_record(8081);
    published running(at.where, made);
    test::eventually([&] { return waited.load(); });
  });
  berth_record* seen = nullptr;
  const auto status = berth_wait(at.where.get(), 20000, &seen);
  waited = true;
  later.join();
  REQUIRE(status == BERTH_DONE);
  REQUIRE(berth_record_port(seen) == 8081);
  berth_record_free(seen);
}
