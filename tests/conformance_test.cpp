// What a drop-in for the reference must do, row by row. Rows 12-15 are in config_test.cpp, rows
// 16-18 in service_test.cpp.
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <berth/client/async.hpp>
#include <berth/client/lookup_watch.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/liveness/process.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/record/started_at.hpp>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
namespace fs = std::filesystem;

namespace {

struct place {
  test::temporary_directory directory;
  location where{"pm", directory.path()};
  fs::path file = where.port_file();
};

record ours(std::uint16_t port = 8080) { return describe_this_process("127.0.0.1", port, "1.0"); }

/// The file of a writer that knows only the five fields and locks nothing.
void write_foreign(const place& at, std::uint32_t pid, std::uint16_t port = 8080) {
  test::write_text(at.file, fmt::format("{{\"pid\": {}, \"port\": {}, \"host\": \"127.0.0.1\", "
                                        "\"started_at\": \"{}\", \"version\": \"1\"}}",
                                        pid, port, rfc3339_now()));
}

constexpr std::uint32_t no_process = 999999;

}  // namespace

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

TEST_CASE("a claim without a file refuses others, and leaves no trace but its lock file") {
  place at;
  {
    claim owned(at.where);
    REQUIRE_FALSE(read_live(at.where));
    REQUIRE_THROWS_AS(claim(at.where, ours()), already_running);
  }
  REQUIRE(test::files_in(at.directory.path()) == 1);
  REQUIRE(fs::exists(at.where.lock_file()));
}

TEST_CASE("publishing again replaces the record, and leaves no file behind") {
  place at;
  claim owned(at.where, ours(1));
  auto changed = ours(2);
  changed.metadata["state"] = "busy";
  owned.publish(changed);
  REQUIRE(read_live(at.where)->metadata.at("state") == "busy");
  REQUIRE(test::files_in(at.directory.path()) == 2);
  REQUIRE(owned.intact());
}

TEST_CASE("a file that was deleted, and its lock file, are published again by their owner") {
  place at;
  claim owned(at.where, ours(1));
  fs::remove(at.file);
  REQUIRE_FALSE(owned.intact());
  REQUIRE_THROWS_AS(claim(at.where, ours(2)), already_running);
  owned.publish(ours(1));
  REQUIRE(owned.intact());
  fs::remove(at.where.lock_file());
  REQUIRE_FALSE(owned.intact());
  REQUIRE_THROWS_AS(claim(at.where, ours(2)), already_running);
  fs::remove(at.where.lock_file());
  owned.publish(ours(1));
  REQUIRE(owned.intact());
  fs::remove_all(at.directory.path());
  owned.publish(ours(1));
  REQUIRE(owned.intact());
  REQUIRE_THROWS_AS(claim(at.where, ours(2)), already_running);
}

TEST_CASE("an owner who lost both files to another server does not take them back") {
  place at;
  claim first(at.where, ours(1));
  fs::remove(at.file);
  fs::remove(at.where.lock_file());
  claim second(at.where, ours(2));
  REQUIRE_THROWS_AS(first.publish(ours(1)), already_running);
  first.remove();
  REQUIRE(read_live(at.where)->port == 2);
}

TEST_CASE("a late remove of a previous owner leaves the new owner's file alone") {
  place at;
  claim first(at.where, ours(1));
  fs::remove(at.file);
  fs::remove(at.where.lock_file());
  claim second(at.where, ours(2));
  REQUIRE_NOTHROW(first.remove());
  REQUIRE(second.intact());
}

TEST_CASE("a server that was killed is dead at once, though its parent has not collected it") {
  place at;
  const pid_t child = ::fork();
  if (child == 0) {
    claim owned(at.where, ours());
    ::raise(SIGKILL);
  }
  siginfo_t ended;
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) == 0);
  const auto found = examine(at.where);
  REQUIRE(found->stale());
  write_foreign(at, static_cast<std::uint32_t>(child));
  REQUIRE(examine(at.where)->judged.reason == fmt::format("pid {} is a zombie", child));
  claim next(at.where, ours(9));
  REQUIRE(read_live(at.where)->port == 9);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
}

TEST_CASE("a child forked without exec does not unpublish its parent's file") {
  place at;
  claim owned(at.where, ours());
  const pid_t child = ::fork();
  if (child == 0) {
    owned.remove();
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  REQUIRE(owned.intact());
  REQUIRE(read_live(at.where));
}

TEST_CASE("a pid that the platform cannot have never reaches kill") {
  REQUIRE(status_of_process(0).state == process_state::absent);
  REQUIRE(status_of_process(4294967295u).state == process_state::absent);
  REQUIRE(status_of_process(2147483648u).state == process_state::absent);
}

TEST_CASE("a file with an impossible pid is stale or invalid, never live") {
  place at;
  write_foreign(at, 4294967295u);
  REQUIRE_FALSE(read_live(at.where));
  REQUIRE_FALSE(fs::exists(at.file));
  write_foreign(at, 0);
  REQUIRE_THROWS_WITH(read_live(at.where), Catch::Contains("field \"pid\" must be 1-4294967295"));
}

TEST_CASE("a process is judged by what identifies it") {
  record server = ours();
  server.lock.clear();
  const process_liveness strategy;
  const auto judge = [&](const record& one) {
    return strategy.judge({one, lock_state::free}).state;
  };
  REQUIRE(judge(server) == liveness::alive);
  auto other = server;
  other.origin.start_time += 1;
  REQUIRE(judge(other) == liveness::dead);
  other = server;
  other.origin.boot_id = "another";
  REQUIRE(judge(other) == liveness::dead);
  other = server;
  other.origin.pid_namespace = 1;
  REQUIRE(judge(other) == liveness::unknown);
  other = server;
  other.origin.host_id = "another";
  other.origin.boot_id = "another";
  REQUIRE(judge(other) == liveness::unknown);
  other.pid = no_process;
  REQUIRE(judge(other) == liveness::unknown);
}

namespace {

/// A port of the loopback address that listens, or is merely taken, until this ends.
class taken_port {
 public:
  explicit taken_port(bool listens) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket_.get(), any, size) == 0);
    REQUIRE((!listens || ::listen(socket_.get(), 1) == 0));
    REQUIRE(::getsockname(socket_.get(), any, &size) == 0);
    number_ = ntohs(address.sin_port);
  }
  std::uint16_t number() const { return number_; }

 private:
  unique_handle socket_;
  std::uint16_t number_ = 0;
};

}  // namespace

TEST_CASE("the port itself tells whether its server lives, of this machine's servers") {
  const taken_port open(true), closed(false);
  const connect_liveness strategy;
  const auto judge = [&](record server) { return strategy.judge({server, lock_state::free}); };
  record server = ours();
  server.port = open.number();
  REQUIRE(judge(server).state == liveness::alive);
  server.host = "0.0.0.0";
  REQUIRE(judge(server).state == liveness::alive);
  server.port = closed.number();
  REQUIRE(judge(server).state == liveness::dead);
  REQUIRE(judge(server).reason == "nothing listens on port " + std::to_string(closed.number()));
  server.origin.host_id = "another";
  REQUIRE(judge(server).state == liveness::unknown);
  server.origin.host_id.clear();
  server.host = "host.invalid";
  REQUIRE(judge(server).state == liveness::unknown);
}

namespace {
struct stubborn final : liveness_strategy {
  verdict judge(const evidence&) const override { return {liveness::dead, "because I say so"}; }
};
}  // namespace

TEST_CASE("a user's strategy plugs in, and a chain asks until one is sure") {
  place at;
  write_foreign(at, 1);
  const stubborn mine;
  REQUIRE(examine(at.where, mine)->judged.reason == "because I say so");
  const liveness_chain chain({std::make_shared<lock_liveness>(), std::make_shared<stubborn>(),
                              std::make_shared<always_alive>()});
  REQUIRE(examine(at.where, chain)->stale());
  REQUIRE_FALSE(examine(at.where, always_alive())->stale());
}

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

TEST_CASE("a file that is locked in a way that cannot be seen from here is judged by its process") {
  place at;
  record server = ours();
  server.lock = "another";
  test::write_text(at.file, format_record(server));
  REQUIRE(examine(at.where)->judged.state == liveness::alive);
  server.pid = 999999;
  test::write_text(at.file, format_record(server));
  REQUIRE(examine(at.where)->stale());
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

TEST_CASE("sixteen servers that start at one instant leave one winner") {
  for (int round = 0; round < 30; ++round) {
    place at;
    if (round % 2) write_foreign(at, no_process);
    int gate[2], won[2];
    REQUIRE(::pipe(gate) == 0);
    REQUIRE(::pipe(won) == 0);
    std::vector<pid_t> children;
    for (int i = 0; i < 16; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        char byte;
        ::close(gate[1]);
        (void)!::read(gate[0], &byte, 1);  // until the gate is closed
        char outcome = 'l';
        std::optional<claim> owned;
        try {
          owned.emplace(at.where, ours(static_cast<std::uint16_t>(1000 + i)));
          outcome = 'w';
        } catch (const already_running&) {
        }
        (void)!::write(won[1], &outcome, 1);
        ::pause();
        ::_exit(0);
      }
      children.push_back(child);
    }
    ::close(gate[0]);
    ::close(gate[1]);
    int winners = 0;
    for (int i = 0; i < 16; ++i) {
      char outcome = 0;
      REQUIRE(::read(won[0], &outcome, 1) == 1);
      winners += outcome == 'w';
    }
    const auto live = read_live(at.where);
    for (const pid_t child : children) ::kill(child, SIGKILL);
    for (const pid_t child : children) ::waitpid(child, nullptr, 0);
    ::close(won[0]);
    ::close(won[1]);
    REQUIRE(winners == 1);
    REQUIRE(live);
    REQUIRE_FALSE(read_live(at.where));
  }
}

namespace {
task<> use_async(location where) {
  auto none = co_await async::read_live(where);
  REQUIRE_FALSE(*none);
  auto owned = co_await async::publish(where, ours(1));
  claim mine = std::move(owned).value();
  for (int i = 0; i < 3; ++i) {  // from the pool first, from memory then
    auto found = co_await async::read_live(where);
    REQUIRE((*found)->port == 1);
    auto whole = co_await async::read(where);
    REQUIRE((*whole)->port == 1);
  }
  const auto again = co_await async::publish(mine, ours(2));
  REQUIRE(again);
  auto seen = co_await async::wait_live(where);
  REQUIRE(seen->port == 2);
  const auto removed = co_await async::remove(mine);
  REQUIRE(removed);
  const auto gone = co_await async::wait_gone(where);
  REQUIRE(gone);
  const auto late = co_await async::wait_live(where, deadline::at(steady_time::min()));
  REQUIRE(late.timed_out());
}
}  // namespace

TEST_CASE("the coroutine face does what the synchronous one does") {
  place at;
  run(use_async(at.where));
  write_foreign(at, no_process);
  const auto body = [](location where) -> task<> {
    const auto found = co_await async::read_live(where);
    REQUIRE_FALSE(*found);
  };
  run(body(at.where));
  REQUIRE_FALSE(fs::exists(at.file));
}

TEST_CASE("a lookup watch passes over files that do not matter") {
  place at;
  const auto body = [](location where) -> task<> {
    const auto here = co_await current_context();
    lookup_watch watch(event_loop::of(here), where);
    test::write_text(where.directory / "server.log", "noise");
    const auto noise = co_await watch.changed(deadline::after(std::chrono::milliseconds(50)));
    REQUIRE(noise.timed_out());
    test::write_text(where.port_file(), "");
    const auto matters = co_await watch.changed();
    REQUIRE(matters);
  };
  run(body(at.where));
}

TEST_CASE(
    "wait_live sees a server in a directory that takes the place of the one that it watches") {
  const auto body = [](location awaited) -> task<> {
    const auto replace = [](location at) -> task<claim> {
      // By now the other waits.
      for (int turn = 0; turn < 3; ++turn) (void)co_await sleep_for(std::chrono::milliseconds(2));
      fs::rename(at.directory, at.directory.string() + ".old");
      fs::create_directory(at.directory);
      fs::permissions(at.directory, fs::perms(0700));
      for (int turn = 0; turn < 3; ++turn) (void)co_await sleep_for(std::chrono::milliseconds(2));
      auto owned = co_await async::publish(at, ours(7));
      co_return std::move(owned).value();
    };
    const auto in_time = deadline::after(std::chrono::seconds(20));
    auto both = co_await when_all(async::wait_live(awaited, in_time), replace(awaited));
    REQUIRE(std::get<0>(both));
  };
  for (int round = 0; round < 20; ++round) {
    test::temporary_directory directory;
    const auto at = directory.path() / ".pm";
    fs::create_directory(at);
    run(body(location("pm", at)));
  }
}

TEST_CASE("wait_live sees a server that comes later, whenever the way to its directory is made") {
  const auto body = [](location awaited) -> task<> {
    const auto publish_later = [](location at) -> task<claim> {
      auto owned = co_await async::publish(at, ours(7));
      co_return std::move(owned).value();
    };
    const auto in_time = deadline::after(std::chrono::seconds(20));
    auto both = co_await when_all(async::wait_live(awaited, in_time), publish_later(awaited));
    REQUIRE(std::get<0>(both));
    REQUIRE(std::get<0>(both)->port == 7);
  };
  for (int round = 0; round < 200; ++round) {
    test::temporary_directory directory;
    run(body(location("pm", directory.path() / "a/b/c/d/e/f/g/h/.pm")));
  }
}
