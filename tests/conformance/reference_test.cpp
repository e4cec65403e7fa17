// Rows 1-11 of a drop-in for the reference; 12-15 are in config_test.cpp, 16-18 in service/.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/store/location.hpp>

#include <fmt/format.h>

#include "conformance/place.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace conformance_test;
namespace fs = std::filesystem;

TEST_CASE("row 1: publishing writes port, host, own pid, a start and a version") {
  place at;
  claim owned(at.where, ours());
  const auto found = read(at.where);
  REQUIRE(found);
  REQUIRE(found->port == 8080);
  REQUIRE(found->host == "127.0.0.1");
  REQUIRE(found->pid == static_cast<std::uint32_t>(::getpid()));
  REQUIRE(found->started_at.size() == 20);
  REQUIRE_FALSE(found->version.empty());
}

TEST_CASE("row 2: reading no file gives nothing and no error") {
  place at;
  REQUIRE_FALSE(read(at.where));
}

TEST_CASE("row 3: read_live gives the file of a running process") {
  place at;
  write_foreign(at, static_cast<std::uint32_t>(::getpid()));
  REQUIRE(read_live(at.where)->port == 8080);
}

TEST_CASE("row 4: read_live of a pid that does not run gives nothing, and the file is gone") {
  place at;
  write_foreign(at, no_process);
  REQUIRE_FALSE(read_live(at.where));
  REQUIRE_FALSE(fs::exists(at.file));
}

TEST_CASE("row 5: read_live of no file gives nothing") {
  place at;
  REQUIRE_FALSE(read_live(at.where));
}

TEST_CASE("row 6: after remove the file is gone") {
  place at;
  claim owned(at.where, ours());
  owned.remove();
  REQUIRE_FALSE(fs::exists(at.file));
}

TEST_CASE("row 7: removing what is gone succeeds") {
  place at;
  claim owned(at.where, ours());
  fs::remove(at.file);
  REQUIRE_NOTHROW(owned.remove());
  REQUIRE_NOTHROW(owned.remove());
}

TEST_CASE("row 8: publishing beside a live server names it and changes nothing") {
  place at;
  const auto check = [&](std::uint32_t pid) {
    const auto before = test::read_text(at.file);
    try {
      claim second(at.where, ours(9090));
      FAIL("it was published");
    } catch (const already_running& refused) {
      REQUIRE(std::string(refused.what()) ==
              fmt::format("Another pm-server is already running on port 8080 (PID {}). Stop it "
                          "first or use a different config directory.",
                          pid));
      REQUIRE(refused.server()->port == 8080);
    }
    REQUIRE(test::read_text(at.file) == before);
  };
  {
    claim first(at.where, ours());
    check(static_cast<std::uint32_t>(::getpid()));
  }
  write_foreign(at, 1);
  check(1);
}

TEST_CASE("row 9: publishing over a stale file replaces it") {
  place at;
  write_foreign(at, no_process);
  claim owned(at.where, ours(9090));
  REQUIRE(owned.found_stale()->pid == no_process);
  REQUIRE(read_live(at.where)->port == 9090);
}

TEST_CASE("row 10: publishing makes the directories that are missing, for their owner only") {
  test::temporary_directory directory;
  const location where("pm", directory.path() / "a" / "b");
  claim owned(where, ours());
  REQUIRE(read_live(where));
  struct stat status;
  REQUIRE(::stat((directory.path() / "a").c_str(), &status) == 0);
  REQUIRE((status.st_mode & 0777) == 0700);
  REQUIRE(::stat(where.port_file().c_str(), &status) == 0);
  REQUIRE((status.st_mode & 0777) == 0600);
}

TEST_CASE("row 11: reading what is not JSON says so, with the path") {
  place at;
  test::write_text(at.file, "{ invalid json");
  REQUIRE_THROWS_WITH(read(at.where),
                      Catch::StartsWith("Invalid port file " + at.file.string() + ": "));
  REQUIRE_THROWS_AS(read_live(at.where), invalid_port_file);
  REQUIRE(test::read_text(at.file) == "{ invalid json");
}
