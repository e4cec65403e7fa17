// What may exist at a port file's path.
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/record/record_codec.hpp>

#include "conformance/place.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace conformance_test;
namespace fs = std::filesystem;

TEST_CASE("what is at the path is not followed, waited for or replaced unless it is a file") {
  place at;
  const auto refused = [&](const std::string& reason) {
    REQUIRE_THROWS_WITH(read_live(at.where), Catch::Contains(reason));
    REQUIRE_THROWS_WITH(claim(at.where, ours()), Catch::Contains(reason));
  };
  REQUIRE(::mkfifo(at.file.c_str(), 0600) == 0);
  refused("not a regular file");
  fs::remove(at.file);
  fs::create_directory(at.file);
  refused("not a regular file");
  fs::remove(at.file);
  const auto target = at.directory.path() / "target";
  test::write_text(target, "precious");
  fs::create_symlink(target, at.file);
  refused("symbolic link");
  REQUIRE(test::read_text(target) == "precious");
  fs::remove(at.file);
  fs::create_symlink(at.directory.path() / "nowhere", at.file);
  refused("symbolic link");
  REQUIRE_FALSE(fs::exists(at.directory.path() / "nowhere"));
  fs::remove(at.file);
  if (::mknod(at.file.c_str(), S_IFCHR | 0600, ::makedev(1, 5)) ==
      0) {  // reads as zeros without end
    refused("not a regular file");
    fs::remove(at.file);
  }
  test::write_text(at.file, std::string(10'000'000, ' '));
  REQUIRE_THROWS_WITH(read_live(at.where), Catch::Contains("larger than 64 KiB"));
}

TEST_CASE("publishing over a hard link leaves the file's other name alone") {
  place at;
  const auto target = at.directory.path() / "target";
  auto stale = ours();
  stale.pid = 999999;
  stale.lock.clear();
  test::write_text(target, format_record(stale));
  fs::create_hard_link(target, at.file);
  const claim owned(at.where, ours(9));
  REQUIRE(read_live(at.where)->port == 9);
  REQUIRE(test::read_text(target) == format_record(stale));
}

TEST_CASE("a directory that others may write to is refused with the way to mend it") {
  place at;
  fs::permissions(at.directory.path(), fs::perms(0777));
  REQUIRE_THROWS_WITH(claim(at.where, ours()),
                      Catch::Contains("chmod go-w " + at.directory.path().string()));
  fs::permissions(at.directory.path(), fs::perms(01777));
  REQUIRE_NOTHROW(claim(at.where, ours()));
}

TEST_CASE("a write beyond the file-size limit is an error that leaves what was there") {
  place at;
  const pid_t child = ::fork();
  if (child == 0) {
    claim owned(at.where, ours(1));
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_FSIZE, &none);
    int status = 1;
    try {
      owned.publish(ours(2));
    } catch (const error& failed) {
      const auto kept = read_live(at.where);
      status = failed.code() == std::errc::file_too_large && kept && kept->port == 1 &&
                       test::files_in(at.directory.path()) == 2
                   ? 0
                   : 2;
    }
    ::_exit(status);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
}
