// What a build for a platform that can tell nothing does: nobody is ever believed dead.
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/this_process.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;

namespace {

void write_stale(const location& where) {
  test::write_text(where.port_file(),
                   "{\"pid\": 999999, \"port\": 8080, \"host\": \"h\", \"started_at\": \"s\", "
                   "\"version\": \"v\"}");
}

}  // namespace

TEST_CASE("always alive: the file of whoever is found, and never removed") {
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  write_stale(where);
  REQUIRE(read_live(where)->pid == 999999);
  REQUIRE_FALSE(remove_stale(where));
  REQUIRE(std::filesystem::exists(where.port_file()));
  REQUIRE(examine(where)->judged.reason == "this build considers every server alive");
}

TEST_CASE("always alive: publishing beside any file is refused, and works without one") {
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  write_stale(where);
  const auto server = describe_this_process("127.0.0.1", 9090, "1");
  REQUIRE_THROWS_AS(claim(where, server), already_running);
  std::filesystem::remove(where.port_file());
  {
    const claim owned(where, server);
    REQUIRE(read_live(where)->port == 9090);
    REQUIRE_THROWS_AS(claim(where, server), already_running);
  }
  REQUIRE_FALSE(read_live(where));
}
