// Ownership across pid namespaces.
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

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

namespace {

/// A process that publishes and then waits to be killed.
class held_server {
 public:
  held_server(const location& where, const std::function<bool()>& prepare) {
    int told[2];
    REQUIRE(::pipe(told) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setpgid(0, 0);
      char word = 'n';
      std::optional<claim> owned;
      const auto serve = [&] {
        owned.emplace(where, ours());
        word = 'p';
        (void)!::write(told[1], &word, 1);
        ::alarm(60);
        for (;;) ::pause();
      };
      if (prepare()) {
        const pid_t inner = ::fork();
        if (inner == 0) serve();
        ::waitpid(inner, nullptr, 0);
      }
      (void)!::write(told[1], &word, 1);
      ::_exit(0);
    }
    char word = 0;
    REQUIRE(::read(told[0], &word, 1) == 1);
    published_ = word == 'p';
    ::close(told[0]);
    ::close(told[1]);
  }
  held_server(const held_server&) = delete;
  held_server& operator=(const held_server&) = delete;
  ~held_server() {
    ::kill(-pid_, SIGKILL);  // with the one in between
    ::waitpid(pid_, nullptr, 0);
  }
  bool published() const { return published_; }

 private:
  pid_t pid_ = -1;
  bool published_ = false;
};

}  // namespace

TEST_CASE("a server in a pid namespace of its own is live to a reader outside") {
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  const held_server server(where, [] { return ::unshare(CLONE_NEWPID) == 0; });
  if (!server.published()) {
    WARN("skipped: no right to make pid namespaces");
    return;
  }
  for (int i = 0; i < 50; ++i) {
    REQUIRE(read_live(where));
    REQUIRE_THROWS_AS(claim(where, ours()), already_running);
  }
  REQUIRE(read_live(where)->pid == 1);
}

TEST_CASE("a reader in a pid namespace of its own leaves a server outside alone") {
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  claim owned(where, ours());
  const int seen = in_namespaces(CLONE_NEWPID, [&] {
    for (int i = 0; i < 50; ++i)
      if (!read_live(where)) return 1;
    try {
      const claim second(where, ours());
      return 2;
    } catch (const already_running&) {
      return 0;
    }
  });
  if (seen == missing_right)
    WARN("skipped: no right to make pid namespaces");
  else
    REQUIRE(seen == 0);
  REQUIRE(owned.intact());
}

TEST_CASE("a file of another pid namespace without a lock counts as live") {
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  record server = ours();
  server.lock.clear();
  server.origin.pid_namespace += 1;
  server.pid = 999999;
  test::write_text(where.port_file(), format_record(server));
  REQUIRE(read_live(where));
  REQUIRE_THROWS_AS(claim(where, ours()), already_running);
}

TEST_CASE("a pid that passed to another process does not keep a dead server alive") {
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  const int found = in_namespaces(CLONE_NEWPID | CLONE_NEWNS, [&] {
    if (::mount("proc", "/proc", "proc", 0, nullptr) != 0) return missing_right;
    for (const bool locks : {true, false}) {
      const auto next_pid = [](int pid) {
        test::write_text("/proc/sys/kernel/ns_last_pid", std::to_string(pid - 1));
      };
      next_pid(300);
      const pid_t server = ::fork();
      if (server == 0) {
        if (locks) {
          claim owned(where, ours());
          ::raise(SIGKILL);
        }
        record plain = ours();
        plain.lock.clear();
        test::write_text(where.port_file(), format_record(plain));
        ::_exit(0);
      }
      ::waitpid(server, nullptr, 0);
      // Start times count in hundredths of a second.
      const timespec tick{0, 20'000'000};
      ::nanosleep(&tick, nullptr);
      next_pid(300);
      const pid_t other = ::fork();
      if (other == 0)
        for (;;) ::pause();
      const bool same_pid = server == 300 && other == 300;
      const bool dead = !read_live(where) && !fs::exists(where.port_file());
      ::kill(other, SIGKILL);
      ::waitpid(other, nullptr, 0);
      if (!same_pid) return 2;
      if (!dead) return locks ? 3 : 4;
    }
    return 0;
  });
  if (found == missing_right)
    WARN("skipped: no right to make namespaces");
  else
    REQUIRE(found == 0);
}
