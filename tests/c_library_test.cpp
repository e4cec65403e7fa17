// The shared library of <berth/berth.h>, by that header alone, on every platform it is made for.
// What each function does is tested in c_interface/.
#include <berth/berth.h>

#include "support/catch.hpp"
#include "support/process.hpp"

namespace fs = std::filesystem;

namespace {

std::string utf8(const fs::path& path) {
  const auto name = path.u8string();
  return {name.begin(), name.end()};
}

struct workspace {
  workspace() {
    REQUIRE(berth_locate("pm", utf8(directory.path()).c_str(), nullptr, &where) == BERTH_DONE);
  }
  workspace(const workspace&) = delete;
  workspace& operator=(const workspace&) = delete;
  ~workspace() { berth_location_free(where); }

  test::temporary_directory directory;
  berth_location* where = nullptr;
};

}  // namespace

TEST_CASE("the shared C library is the one that its header describes") {
  REQUIRE(berth_c_interface() == BERTH_C_INTERFACE);
  REQUIRE(std::string(berth_version()) == BERTH_VERSION);
}

TEST_CASE("the shared C library publishes, finds, keeps and removes") {
  workspace at;
  berth_record *made = nullptr, *server = nullptr;
  REQUIRE(berth_read_live(at.where, &server) == BERTH_NO_LIVE_SERVER);
  REQUIRE_THAT(berth_message(), Catch::Contains("No running pm-server found"));
  REQUIRE(berth_record_new("127.0.0.1", 8080, "1.2", &made) == BERTH_DONE);
  berth_publication* published = nullptr;
  const auto status = berth_publish(at.where, made, &published);
  INFO(berth_message());
  berth_record_free(made);
  REQUIRE(status == BERTH_DONE);

  REQUIRE(berth_wait(at.where, 20000, &server) == BERTH_DONE);
  REQUIRE(std::string(berth_record_url(server)) == "http://127.0.0.1:8080");
  berth_record_free(server);
  const auto seen = test::run({BERTH_COMMAND, "--config-dir", at.directory.path().string(), "url"});
  REQUIRE_THAT(seen.out, Catch::StartsWith("http://127.0.0.1:8080"));
  REQUIRE(berth_check(published) == BERTH_DONE);

  REQUIRE(berth_remove(published) == BERTH_DONE);
  REQUIRE(berth_read_live(at.where, &server) == BERTH_NO_LIVE_SERVER);
  REQUIRE(berth_wait(at.where, 20, &server) == BERTH_TIMED_OUT);
}

TEST_CASE("the shared C library starts a server, and gets the one that is there") {
  workspace at;
  const std::string directory = utf8(at.directory.path());
  const char* const command[] = {PM_SERVER, "--config-dir", directory.c_str(), nullptr};
  std::uint32_t pid = 0;
  for (int round = 0; round < 2; ++round) {
    berth_record* server = nullptr;
    const auto status = berth_ensure(at.where, command, nullptr, 20000, &server);
    INFO(berth_message());
    REQUIRE(status == BERTH_DONE);
    if (round == 0) pid = berth_record_pid(server);
    REQUIRE(berth_record_pid(server) == pid);
    berth_record_free(server);
  }
  const auto stopped =
      test::run({BERTH_COMMAND, "--config-dir", at.directory.path().string(), "stop"});
  INFO(stopped.err);
  REQUIRE(stopped.status == 0);
  berth_record* server = nullptr;
  REQUIRE(berth_read_live(at.where, &server) == BERTH_NO_LIVE_SERVER);
}
