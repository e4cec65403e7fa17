// Ownership across users, pid namespaces and a full disk. Needs the right to make namespaces and
// to become other users; says so and passes where that is missing.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record_codec.hpp>
#include <functional>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
namespace fs = std::filesystem;

namespace {

record ours() { return describe_this_process("127.0.0.1", 8080, "1"); }

constexpr int missing_right = 99;

/// What `work` gives in a child; 98 where it throws.
int in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    int result = 98;
    try {
      result = work();
    } catch (const std::exception& failed) {
      fmt::print(stderr, "{}\n", failed.what());
    }
    ::_exit(result);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The same in namespaces of its own; the first child in a pid namespace has pid 1 there.
int in_namespaces(int kinds, const std::function<int()>& work) {
  return in_child([&] {
    if (::unshare(kinds) != 0) return missing_right;
    if ((kinds & CLONE_NEWNS) && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return missing_right;
    return in_child(work);
  });
}

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
