// What an outsider deletes at each moment of a start or of a look-up, with real processes: one is
// stopped after each of its system calls, another runs meanwhile.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/this_process.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "traced_process.hpp"

using namespace berth;

namespace {

using namespace std::chrono_literals;

record numbered(std::uint16_t port) { return describe_this_process("127.0.0.1", port, "1"); }

/// A child that does something and then holds what it holds; killed in the end.
class other_process {
 public:
  explicit other_process(const std::function<int()>& work) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      const char result = static_cast<char>(work());
      (void)!::write(ends[1], &result, 1);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    result_ = ends[0];
  }
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;
  ~other_process() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(result_);
  }

  pid_t pid() const { return pid_; }

  /// Waits until it has ended its work, or waits for a lock that a stopped process holds.
  void let_run() const {
    for (int turn = 0; turn < 20 && !ended(0); ++turn) std::this_thread::sleep_for(1ms);
  }
  int result() const {
    REQUIRE(ended(30000));
    char result = -1;
    REQUIRE(::read(result_, &result, 1) == 1);
    return result;
  }

 private:
  bool ended(int milliseconds) const {
    fd_set ready;
    FD_ZERO(&ready);
    FD_SET(result_, &ready);
    timeval time{milliseconds / 1000, milliseconds % 1000 * 1000};
    return ::select(result_ + 1, &ready, nullptr, nullptr, &time) == 1;
  }

  pid_t pid_ = -1;
  int result_ = -1;
};

enum outcome { published = 0, refused = 1, failed = 2 };

/// Publishes for as long as the process lives.
int start(const location& where, std::uint16_t port, const claim_options& options = {}) {
  static std::optional<claim> owned;
  try {
    owned.emplace(where, numbered(port), options);
    return published;
  } catch (const already_running&) {
    return refused;
  } catch (const error&) {
    return failed;
  }
}

void leave_stale(const location& where) {
  other_process(std::function<int()>([&] { return start(where, 9); })).result();
}

int live_port(const location& where) {
  const auto found = read_live(where);
  return found ? found->port : 0;
}

bool has_temporary_file(const location& where) {
  for (const auto& entry : std::filesystem::directory_iterator(where.directory))
    if (entry.path().extension() == ".tmp") return true;
  return false;
}

/// Does `meanwhile` after each system call of `work`, and `check` once that has ended.
void at_each_call(const location& where, bool stale, const std::function<int()>& work,
                  const std::function<void(test::traced_process&)>& meanwhile) {
  bool more = true;
  for (int point = 0; more; ++point) {
    std::filesystem::remove_all(where.directory);
    std::filesystem::create_directories(where.directory);
    std::filesystem::permissions(where.directory, std::filesystem::perms::owner_all);
    if (stale) leave_stale(where);
    (void)numbered(1);  // what is asked once of the system is asked now
    test::traced_process one([] {}, work);
    for (int call = 0; more && call < point; ++call) more = one.next_call();
    INFO("after system call " << point << " (number " << one.call() << ")");
    meanwhile(one);
  }
}

/// Keeps the list of instances of these servers in a directory of their own.
struct own_list {
  own_list() { ::setenv("BERTH_LIST_DIR", (directory.path() / "berth").c_str(), 1); }
  ~own_list() { ::unsetenv("BERTH_LIST_DIR"); }
  test::temporary_directory directory;
};

claim_options listed() {
  claim_options options;
  options.listed = true;
  return options;
}

void finish(test::traced_process& one) {
  while (one.next_call()) {
  }
}

/// After each system call of a start, deletes the lock file, lets a second start run, and does
/// `then`; one of the two publishes.
void two_starts_without_lock_file(const location& where, const std::function<void()>& then,
                                  const std::function<void(const test::traced_process&)>& check) {
  for (const bool stale : {false, true}) {
    at_each_call(
        where, stale, [&] { return start(where, 1); },
        [&](test::traced_process& first) {
          std::filesystem::remove(where.lock_file());
          const other_process second([&] { return start(where, 2); });
          second.let_run();
          then();
          if (first.result() < 0) finish(first);
          REQUIRE(first.result() + second.result() == published + refused);
          check(first);
        });
  }
}

}  // namespace

TEST_CASE("of two starts one publishes, though the lock file is deleted at any moment") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  const auto nothing_else = [] {};
  two_starts_without_lock_file(where, nothing_else, [&](const test::traced_process& first) {
    REQUIRE(live_port(where) == (first.result() == published ? 1 : 2));
    REQUIRE_FALSE(has_temporary_file(where));
  });
}

TEST_CASE("of two starts one publishes, though the lock file and then the port file are deleted") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  const auto port_file = [&] { std::filesystem::remove(where.port_file()); };
  two_starts_without_lock_file(where, port_file, [](const test::traced_process&) {});
}

TEST_CASE("a directory deleted at any moment of a start fails no start") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  at_each_call(
      where, false, [&] { return start(where, 1); },
      [&](test::traced_process& first) {
        const bool ended = first.result() >= 0;
        std::filesystem::remove_all(where.directory);
        if (ended) return;
        finish(first);
        REQUIRE(first.result() == published);
      });
}

TEST_CASE("a cleaner never removes a live file, though the lock file is deleted at any moment") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  at_each_call(
      where, true, [&] { return read_live(where) ? 1 : 0; },
      [&](test::traced_process& cleaner) {
        std::filesystem::remove(where.lock_file());
        const other_process starter([&] { return start(where, 2); });
        starter.let_run();
        if (cleaner.result() < 0) finish(cleaner);
        REQUIRE(starter.result() == published);
        REQUIRE(live_port(where) == 2);
      });
}

TEST_CASE("an owner whose lock file is deleted while another starts is never refused by itself") {
  const own_list list;
  const claim_options options = GENERATE(claim_options(), listed());
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  bool more = true;
  for (int point = 0; more; ++point) {
    claim owner(where, numbered(1), options);
    std::filesystem::remove(where.lock_file());
    test::traced_process starter([] {}, [&] { return start(where, 2, options); });
    for (int call = 0; more && call < point; ++call) more = starter.next_call();
    INFO("after system call " << point << " (number " << starter.call() << ")");
    // Whoever holds the mutation lock is waited for, and here it is halted.
    if (lock_file::query(where.lock_file(), lock_range::mutation) != lock_state::held)
      REQUIRE_NOTHROW(owner.publish(numbered(1)));
    if (starter.result() < 0) finish(starter);
    REQUIRE(starter.result() == refused);
    REQUIRE_NOTHROW(owner.publish(numbered(1)));
    REQUIRE(owner.intact());
    REQUIRE(live_port(where) == 1);
  }
}

TEST_CASE("what a start leaves that is killed after its lock file was deleted is removed") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  at_each_call(
      where, false, [&] { return start(where, 1); },
      [&](test::traced_process& killed) {
        std::filesystem::remove(where.lock_file());
        killed.kill();
        const claim next(where, numbered(2));
        REQUIRE_FALSE(has_temporary_file(where));
      });
}

TEST_CASE("a refused start names no server that has ended") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  leave_stale(where);
  const claim without_record(where);
  try {
    const claim other(where);
    FAIL("two claims");
  } catch (const already_running& refusal) {
    REQUIRE_FALSE(refusal.server());
  }
}

TEST_CASE("a server that replaced a halted one publishes again") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  const other_process old([&] { return start(where, 1); });
  REQUIRE(old.result() == published);
  claim_options options;
  options.replaces = read_live(where)->instance_id;
  ::kill(old.pid(), SIGSTOP);
  claim replacement(where, numbered(2), options);
  REQUIRE(replacement.waits_for_owner());
  REQUIRE(replacement.intact());
  replacement.publish(numbered(3));
  REQUIRE(live_port(where) == 3);
  ::kill(old.pid(), SIGKILL);
  while (replacement.waits_for_owner()) REQUIRE(replacement.intact());
}

TEST_CASE("a replacement whose file is deleted loses to a server that takes the lock first") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  const other_process old([&] { return start(where, 1); });
  REQUIRE(old.result() == published);
  claim_options options;
  options.replaces = read_live(where)->instance_id;
  const other_process replacement([&] { return start(where, 2, options); });
  const auto halted_between_changes = [&] {
    if (live_port(where) != 2) return false;
    ::kill(replacement.pid(), SIGSTOP);
    ::waitpid(replacement.pid(), nullptr, WUNTRACED);
    if (lock_file::query(where.lock_file(), lock_range::mutation) == lock_state::free) return true;
    ::kill(replacement.pid(), SIGCONT);
    return false;
  };
  while (!halted_between_changes()) std::this_thread::yield();
  ::kill(old.pid(), SIGKILL);
  std::filesystem::remove(where.port_file());
  std::optional<claim> next;
  while (!next) {
    try {
      next.emplace(where, numbered(3));
    } catch (const already_running&) {
      // The killed server has not ended yet.
    }
  }
  ::kill(replacement.pid(), SIGCONT);
  REQUIRE(replacement.result() == refused);
  REQUIRE(live_port(where) == 3);
}

TEST_CASE("a claim makes its directory anew, but not without the directory above it") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / "workspace" / ".pm");
  claim owner(where, numbered(1));
  REQUIRE(owner.intact());
  std::filesystem::remove_all(where.directory);
  REQUIRE_FALSE(owner.intact());
  owner.publish(numbered(1));
  REQUIRE(owner.intact());
  REQUIRE(live_port(where) == 1);

  std::filesystem::remove_all(where.directory.parent_path());
  REQUIRE_THROWS_AS(owner.publish(numbered(1)), workspace_gone);
  REQUIRE_FALSE(std::filesystem::exists(where.directory.parent_path()));
  std::filesystem::create_directory(where.directory.parent_path());
  REQUIRE_THROWS_AS(owner.publish(numbered(1)), workspace_gone);
  REQUIRE_FALSE(std::filesystem::exists(where.directory));
}

TEST_CASE("a query never makes a start fail") {
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  {
    const claim once(where);
  }
  const other_process asking([&]() -> int {
    for (;;) (void)lock_file::query(where.lock_file(), lock_range::owner);
  });
  for (int round = 0; round < 2000; ++round) REQUIRE_NOTHROW(claim(where));
}

TEST_CASE("a start waits for the server whose directory was deleted, and is refused") {
  const own_list list;
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  claim owner(where, numbered(1), listed());
  for (int round = 0; round < 20; ++round) {
    std::filesystem::remove_all(where.directory);
    const other_process starter([&] { return start(where, 2, listed()); });
    while (round % 2 && !std::filesystem::exists(where.lock_file())) std::this_thread::yield();
    REQUIRE_FALSE(owner.intact());
    REQUIRE_NOTHROW(owner.publish(numbered(1)));
    REQUIRE(starter.result() == refused);
    REQUIRE(owner.intact());
    REQUIRE(live_port(where) == 1);
  }
}

TEST_CASE("a start is refused in the place of a server that cannot publish again by now") {
  const own_list list;
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  std::optional<claim> owner(std::in_place, where, numbered(1), listed());
  std::filesystem::remove_all(where.directory);
  try {
    const claim other(where);
    FAIL("two claims");
  } catch (const already_running& refusal) {
    REQUIRE_FALSE(refusal.server());
  }
  owner->publish(numbered(1));
  REQUIRE(owner->intact());
  std::filesystem::remove_all(where.directory);
  owner.reset();
  const claim next(where, numbered(2), listed());
  REQUIRE(live_port(where) == 2);
}

TEST_CASE("of a start and a server whose directory is deleted at any moment, one publishes") {
  const own_list list;
  const test::temporary_directory directory;
  const location where("pm", directory.path() / ".pm");
  at_each_call(
      where, false, [&] { return start(where, 2, listed()); },
      [&](test::traced_process& starter) {
        if (starter.result() == published) return;
        std::filesystem::remove_all(where.directory);
        if (instance_list::find_held(where)) {
          finish(starter);
          REQUIRE(starter.result() == published);
          return;
        }
        claim owner(where, numbered(1), listed());
        std::filesystem::remove_all(where.directory);
        const other_process again([&] { return start(where, 3, listed()); });
        again.let_run();
        REQUIRE_NOTHROW(owner.publish(numbered(1)));
        finish(starter);
        REQUIRE(starter.result() == refused);
        REQUIRE(again.result() == refused);
        REQUIRE(live_port(where) == 1);
      });
}

TEST_CASE("a server of a workspace that was moved lets another start at the old place") {
  const own_list list;
  const test::temporary_directory directory;
  const auto old_place = directory.path() / "project", new_place = directory.path() / "moved";
  const location where("pm", old_place / ".pm");
  // Forked before there is an owner whose files it would share.
  const other_process starter([&] {
    while (!std::filesystem::exists(new_place) || !std::filesystem::exists(old_place))
      std::this_thread::yield();
    return start(where, 2, listed());
  });
  std::filesystem::create_directory(old_place);
  claim owner(where, numbered(1), listed());
  REQUIRE(owner.intact());
  std::filesystem::rename(old_place, new_place);
  std::filesystem::create_directory(old_place);
  while (!std::filesystem::exists(where.lock_file())) std::this_thread::yield();
  REQUIRE_FALSE(owner.intact());
  REQUIRE_THROWS_WITH(owner.publish(numbered(1)), Catch::Contains("was moved away"));
  REQUIRE(starter.result() == published);
  REQUIRE_THROWS_WITH(owner.publish(numbered(1)), Catch::Contains("was moved away"));
  REQUIRE(live_port(where) == 2);
}
