// Every system call of every change, as the last one before SIGKILL and as one that fails.
#include <sys/mman.h>
#include <sys/syscall.h>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/this_process.hpp>
#include <cerrno>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "traced_process.hpp"

using namespace berth;

namespace {

record numbered(std::uint16_t port) { return describe_this_process("127.0.0.1", port, "1"); }

constexpr std::uint16_t before = 1, after = 2;

/// One change, made by a child: what there was before and what may be seen.
struct change {
  const char* name;
  bool published;  ///< by the child itself
  bool stale;      ///< by a process that is gone
  std::function<void(std::optional<claim>&, const location&)> make;
  bool removes;
};

const change changes[] = {
    {"publish", false, false,
     [](auto& owned, const auto& where) { owned.emplace(where, numbered(after)); }, false},
    {"publish over a stale file", false, true,
     [](auto& owned, const auto& where) { owned.emplace(where, numbered(after)); }, false},
    {"publish again", true, false,
     [](auto& owned, const auto&) { owned->publish(numbered(after)); }, false},
    {"remove", true, false, [](auto& owned, const auto&) { owned->remove(); }, true},
};

/// What the child has to say, in memory that both see.
struct message {
  char text[512];
};

message& said() {
  static auto* const shared = static_cast<message*>(
      ::mmap(nullptr, sizeof(message), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return *shared;
}

/// A child in the middle of a change, and where it makes it.
class staged {
 public:
  explicit staged(const change& made)
      : kind(made), child_([this] { prepare(); }, [this] { return work(); }) {}

  test::traced_process& child() { return child_; }

  const change& kind;
  test::temporary_directory directory;
  location where{"pm", directory.path()};

 private:
  // Both in the child.
  void prepare() {
    if (kind.stale)
      test::write_text(where.port_file(),
                       "{\"pid\": 999999, \"port\": 3, \"host\": \"h\", \"started_at\": \"s\", "
                       "\"version\": \"v\"}");
    if (kind.published)
      owned_.emplace(where, numbered(before));
    else
      (void)numbered(before);  // what is asked once of the system is asked now
    said().text[0] = '\0';
  }
  int work() {
    try {
      kind.make(owned_, where);
      return 0;
    } catch (const error& failed) {
      std::strncpy(said().text, failed.what(), sizeof said().text - 1);
      return 1;
    }
  }

  std::optional<claim> owned_;
  test::traced_process child_;
};

/// The port that is live there; 0 for none.
int live_port(const location& where) {
  const auto found = examine(where);
  return found && !found->stale() ? found->server.port : 0;
}

int port_before(const change& made) { return made.published ? before : 0; }
int port_after(const change& made) { return made.removes ? 0 : after; }

void check_next_server(const staged& stage) {
  REQUIRE_FALSE(read_live(stage.where));
  {
    const claim next(stage.where, numbered(7));
    REQUIRE(live_port(stage.where) == 7);
    REQUIRE(test::files_in(stage.directory.path()) == 2);
  }
  REQUIRE(test::files_in(stage.directory.path()) == 1);
}

}  // namespace

TEST_CASE("killed after any system call of a change: readers are right, the next server starts") {
  for (const change& made : changes) {
    int point = 0;
    for (bool more = true; more; ++point) {
      staged stage(made);
      for (int call = 0; more && call <= point; ++call) more = stage.child().next_call();
      INFO(made.name << ", system call " << point + 1 << " (number " << stage.child().call()
                     << ")");
      const int seen = live_port(stage.where);
      REQUIRE((seen == port_before(made) || seen == port_after(made)));
      stage.child().kill();
      check_next_server(stage);
    }
    WARN(made.name << ": " << point - 1 << " system calls, each the last one");
  }
}

TEST_CASE("a publish takes thirteen system calls, a look-up five") {
  if (!file_lock::ranges_share_a_file) {
    WARN("skipped: locks by flock take more files, and more calls");
    return;
  }
  const auto calls_of = [](const std::function<int()>& work, const std::function<void()>& prepare) {
    test::traced_process child(prepare, work);
    int calls = 0;
    while (child.next_call()) {
      ++calls;
      UNSCOPED_INFO("system call " << child.call());
    }
    REQUIRE(child.result() == 0);
    return calls;
  };
  const test::temporary_directory directory;
  const location where("pm", directory.path());
  std::optional<claim> owned;
  const auto server = numbered(after);
  const auto warm_up = [&] {
    owned.emplace(where, server);
    owned.reset();
  };
  REQUIRE(calls_of(
              [&] {
                owned.emplace(where, server);
                return 0;
              },
              warm_up) <= 13);
  const claim live(where, server);
  REQUIRE(calls_of([&] { return read_live(where) ? 0 : 1; }, [&] { (void)read_live(where); }) == 5);
}

TEST_CASE("any system call of a change fails: the error names it, the previous state stands") {
  const int errors[] = {ENOSPC, EIO, EDQUOT, EMFILE, EROFS, EACCES};
  int injected = 0, refused = 0;
  for (const change& made : changes) {
    for (const int error_number : errors) {
      bool more = true;
      for (int point = 0; more; ++point) {
        staged stage(made);
        for (int call = 0; more && call < point; ++call) more = stage.child().next_call();
        if (more) more = stage.child().next_call_fails(error_number);
        const long failed_call = stage.child().call();
        if (!more) break;
        while (stage.child().next_call()) {
        }
        ++injected;
        INFO(made.name << ", system call " << point + 1 << " (number " << failed_call
                       << ") fails: " << std::strerror(error_number) << "; said: " << said().text);
        const int seen = live_port(stage.where);
        // fcntl says so too where another holds the lock.
        const bool locked = failed_call == SYS_fcntl && error_number == EACCES;
        // Where kill tells nothing, the stale file's server counts as live.
        const bool unknown = failed_call == SYS_kill;
        if (stage.child().result() == 0) {
          REQUIRE(seen == port_after(made));
        } else {
          ++refused;
          if (!locked && !unknown) {
            REQUIRE_THAT(said().text, Catch::Contains(std::strerror(error_number)));
            REQUIRE_THAT(said().text, Catch::Contains(stage.directory.path().string()));
          }
          // A removal that fails gives the claim up all the same, so its file is stale.
          REQUIRE(seen == (made.removes ? 0 : port_before(made)));
        }
        const bool left = std::filesystem::exists(stage.where.port_file());
        const std::size_t files = test::files_in(stage.directory.path());
        REQUIRE(files <= (left ? 2u : 1u));
        stage.child().kill();
        check_next_server(stage);
      }
    }
  }
  WARN(injected << " calls failed, " << refused << " of them refused the change");
}
