// Ownership across users and on a full disk.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <system_error>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/record/record.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/store/location.hpp>

#include "isolation/namespaces.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace isolation_test;
namespace fs = std::filesystem;

TEST_CASE("a server of another user is neither signalled, believed dead nor removed") {
  if (::geteuid() != 0) {
    WARN("skipped: cannot become other users");
    return;
  }
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  fs::permissions(directory.path(), fs::perms(0755));
  const auto text = [] {
    record server = ours();  // of a process of root's, which the reader may not signal
    server.lock.clear();
    return format_record(server);
  }();
  test::write_text(where.port_file(), text);
  fs::permissions(where.port_file(), fs::perms(0644));
  const int seen = in_child([&] {
    if (::setuid(65534) != 0) return missing_right;
    return ::kill(::getppid(), 0) != 0 && errno == EPERM && read_live(where) ? 0 : 1;
  });
  REQUIRE(seen == 0);
  fs::permissions(where.port_file(), fs::perms(0600));
  fs::permissions(directory.path(), fs::perms(01777));
  const int refused = in_child([&] {
    if (::setuid(65534) != 0) return missing_right;
    try {
      (void)read_live(where);
      return 1;
    } catch (const error& failed) {
      return failed.code() == std::errc::permission_denied ? 0 : 2;
    }
  });
  REQUIRE(refused == 0);
  REQUIRE(test::read_text(where.port_file()) == text);
}

TEST_CASE("a file that may not be read is an error that names it, and stays") {
  if (::geteuid() != 0) {
    WARN("skipped: cannot become other users");
    return;
  }
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  REQUIRE(::chown(directory.path().c_str(), 65534, 65534) == 0);
  test::write_text(where.port_file(), format_record(ours()));
  fs::permissions(where.port_file(), fs::perms(0));
  const int seen = in_child([&] {
    if (::setuid(65534) != 0) return missing_right;
    for (const bool publish : {false, true}) {
      try {
        if (publish)
          const claim refused(where, ours());
        else
          (void)read_live(where);
        return 1;
      } catch (const error& failed) {
        const std::string said = failed.what();
        if (failed.code() != std::errc::permission_denied) return 2;
        if (said.find(where.port_file().string()) == std::string::npos) return 3;
      }
    }
    return 0;
  });
  REQUIRE(seen == 0);
  REQUIRE(fs::exists(where.port_file()));
}

TEST_CASE("a file of a stranger in a shared directory is not trusted") {
  if (::geteuid() != 0) {
    WARN("skipped: cannot become other users");
    return;
  }
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  fs::permissions(directory.path(), fs::perms(01777));
  test::write_text(where.port_file(), format_record(ours()));
  fs::permissions(where.port_file(), fs::perms(0644));
  REQUIRE(::chown(where.port_file().c_str(), 4321, 4321) == 0);
  REQUIRE_THROWS_WITH(read_live(where), Catch::Contains("belongs to uid 4321"));
  REQUIRE(::chown(directory.path().c_str(), 4321, 4321) == 0);
  REQUIRE_NOTHROW(read_live(where));
}

TEST_CASE("a full disk is named, and leaves what was published") {
  const test::temporary_directory directory;
  const int seen = in_namespaces(CLONE_NEWNS, [&] {
    if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=64k,mode=0700") != 0)
      return missing_right;
    const location where("pm", directory.path());
    claim owned(where, ours());
    const int filler = ::open((directory.path() / "filler").c_str(), O_WRONLY | O_CREAT, 0600);
    const std::string block(4096, 'x');
    while (::write(filler, block.data(), block.size()) > 0) {
    }
    const auto full = [&](const std::function<void()>& change) {
      try {
        change();
        return false;
      } catch (const error& failed) {
        return failed.code() == std::errc::no_space_on_device;
      }
    };
    if (!full([&] { owned.publish(ours()); })) return 1;
    if (!owned.intact() || !read_live(where)) return 2;
    if (test::files_in(directory.path()) != 3) return 3;
    const location other("pm", directory.path(), "other");
    if (!full([&] { claim second(other, ours()); })) return 4;
    if (read_live(other)) return 5;
    return test::files_in(directory.path()) == 4 ? 0 : 6;  // the other's lock file, which is empty
  });
  if (seen == missing_right)
    WARN("skipped: no right to mount");
  else
    REQUIRE(seen == 0);
}
