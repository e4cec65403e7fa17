// Other users' files and locks, and the owner of the files that berth creates.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <berth/discovery/claim.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/store/location.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "trust/place.hpp"

using namespace berth;
using namespace trust_test;
namespace fs = std::filesystem;

namespace {

/// Another user who holds a read lock on all of each file for as long as this exists.
class reading_stranger {
 public:
  explicit reading_stranger(const std::vector<fs::path>& files) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_ = ::fork();
    if (pid_ == 0) hold(files, ready[1]);
    ::close(ready[1]);
    char done = 0;
    const bool told = ::read(ready[0], &done, 1) == 1;
    ::close(ready[0]);
    REQUIRE(told);
  }
  reading_stranger(const reading_stranger&) = delete;
  reading_stranger& operator=(const reading_stranger&) = delete;
  ~reading_stranger() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  [[noreturn]] static void hold(const std::vector<fs::path>& files, int ready) {
    if (::setgid(stranger) != 0 || ::setuid(stranger) != 0) ::_exit(1);
    for (const auto& each : files) {
      struct flock lock{};
      lock.l_type = F_RDLCK;
      if (::fcntl(::open(each.c_str(), O_RDONLY), F_OFD_SETLK, &lock) != 0) ::_exit(2);
    }
    if (::write(ready, "x", 1) != 1) ::_exit(3);
    for (;;) ::pause();
  }

  pid_t pid_;
};

}  // namespace

#ifdef F_OFD_SETLK
TEST_CASE("a read lock of another user neither keeps a server from starting nor a dead one alive") {
  if (!is_root() || lock_mechanism != "ofd") return;
  place at;
  const auto directory = at.make(".pm");
  const location where("pm", directory);
  {
    const claim owned(where, describe_this_process("127.0.0.1", 8080, "1"));
    fs::copy_file(where.port_file(), at.here / "copy");
  }
  fs::rename(at.here / "copy", where.port_file());
  for (const auto& each : {where.port_file(), where.lock_file()})
    fs::permissions(each, fs::perms(0644));
  const reading_stranger other({where.port_file(), where.lock_file()});
  REQUIRE(at.berth(at.here, {"status"}).status == 3);
  const auto started = at.berth(at.here, {"ensure", "--timeout", "20", "--", PM_SERVER});
  INFO(started.err);
  REQUIRE(started.status == 0);
  REQUIRE(at.berth(at.here, {"stop", "--timeout", "20"}).status == 0);
}
#endif

TEST_CASE("a file that another user has locked us out of names its owner and the remedy") {
  if (!is_root()) return;
  place at;
  const auto directory = at.make(".pm", 0700);
  give_to_stranger(directory);
  const auto names_root = [&](const test::ended& refused, const fs::path& file) {
    INFO(refused.err);
    REQUIRE(refused.status == 1);
    REQUIRE_THAT(refused.err,
                 Catch::Contains("cannot open " + file.string() + ": Permission denied") &&
                     Catch::Contains("it belongs to root (uid 0): remove it, or change its owner "
                                     "with: chown 12345 " +
                                     file.string()));
  };
  const auto lock = directory / "server.lock";
  test::write_text(lock, "");
  fs::permissions(lock, fs::perms(0600));
  names_root(at.berth_as_stranger(at.here, {"ensure", "--", PM_SERVER}), lock);
  fs::remove(lock);
  const auto port_file = directory / "server.json";
  test::write_text(port_file, "{}");
  fs::permissions(port_file, fs::perms(0600));
  names_root(at.berth_as_stranger(at.here, {"url"}), port_file);
}

TEST_CASE("what berth makes under sudo in a user's directory belongs to that user") {
  if (!is_root()) return;
  place at;
  give_to_stranger(at.here);
  ::setenv("BERTH_LIST_DIR", (at.here / "list").c_str(), 1);
  const std::map<std::string, std::string> sudo{{"SUDO_UID", "12345"}, {"SUDO_GID", "12346"}};
  const auto owner_of = [](const fs::path& path) {
    struct stat status{};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return std::pair<unsigned, unsigned>(status.st_uid, status.st_gid);
  };
  const std::pair<unsigned, unsigned> user(stranger, 12346), root(0, 0);
  const auto ensured = at.berth(at.here, {"ensure", "--timeout", "30", "--", PM_SERVER}, sudo);
  INFO(ensured.err);
  REQUIRE(ensured.status == 0);
  REQUIRE(owner_of(at.here / ".pm") == user);
  std::size_t files = 0;
  for (const auto& each : fs::directory_iterator(at.here / ".pm")) {
    INFO(each.path());
    REQUIRE(owner_of(each.path()) == user);
    ++files;
  }
  REQUIRE(files == 4);  // .gitignore, server.json, server.lock and server.log
  REQUIRE(at.berth_as_stranger(at.here, {"url"}).out == ensured.out);
  REQUIRE(at.berth(at.here, {"stop", "--timeout", "20"}, sudo).status == 0);
  REQUIRE(at.berth_as_stranger(at.here, {"ensure", "--timeout", "30", "--", PM_SERVER}).status ==
          0);
  REQUIRE(at.berth(at.here, {"stop", "--timeout", "20"}, sudo).status == 0);

  SECTION("a file that was there stays whose it is, also by another name") {
    const auto lock = at.here / ".pm/server.lock";
    fs::remove(lock);
    test::write_text(at.here / "root's", "");
    fs::create_hard_link(at.here / "root's", lock);
    REQUIRE(at.berth(at.here, {"announce", "--port", "9", "--", "true"}, sudo).status == 0);
    REQUIRE(owner_of(at.here / "root's") == root);
  }
  SECTION("what is made in a directory of root's stays root's") {
    const auto other = at.make("other", 0755);
    const auto named = other / "named";
    REQUIRE(
        at.berth(at.here, {"--config-dir", named, "announce", "--port", "9", "--", "true"}, sudo)
            .status == 0);
    REQUIRE(owner_of(named) == root);
    REQUIRE(owner_of(named / "server.lock") == root);
  }
  SECTION("without sudo, the variable means nothing") {
    REQUIRE(at.berth(at.here, {"--config-dir", "new", "announce", "--port", "9", "--", "true"},
                     {{"SUDO_UID", "x"}})
                .status == 0);
    REQUIRE(owner_of(at.here / "new") == root);
  }
  ::unsetenv("BERTH_LIST_DIR");
}
