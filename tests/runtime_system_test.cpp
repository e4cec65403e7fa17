// What io/ promises of signals, children, socket files, zones and watched directories, on POSIX
// systems. Cases that need namespaces run this program again in them, and are skipped without.
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <fstream>

#include <berth/base/error.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/directory_watch.hpp>
#include <berth/io/local.hpp>
#include <berth/io/resolve.hpp>
#include <berth/io/tcp.hpp>
#include <berth/io/udp.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/streams.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// Runs `outermost` on a libuv loop that belongs to a host.
void run_embedded(task<> outermost) {
  uv_loop_t host;
  REQUIRE(uv_loop_init(&host) == 0);
  {
    event_loop loop(host);
    root_task<void> root(std::move(outermost));
    root.start(loop.context());
    while (!root.ended()) uv_run(&host, UV_RUN_ONCE);
    root.take();
  }
  uv_run(&host, UV_RUN_DEFAULT);
  REQUIRE(uv_loop_close(&host) == 0);
}

/// Sets what SIGPIPE does, until the end of a test.
class broken_pipe_action {
 public:
  explicit broken_pipe_action(void (*handler)(int)) : before_(::signal(SIGPIPE, handler)) {}
  broken_pipe_action(const broken_pipe_action&) = delete;
  broken_pipe_action& operator=(const broken_pipe_action&) = delete;
  ~broken_pipe_action() { ::signal(SIGPIPE, before_); }
  static void (*present())(int) {
    struct sigaction now{};
    ::sigaction(SIGPIPE, nullptr, &now);
    return now.sa_handler;
  }

 private:
  void (*before_)(int);
};

/// A client of `listening` that is no coroutine.
int dial(const endpoint& listening) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(listening.port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  REQUIRE(::connect(descriptor, generic, sizeof address) == 0);
  return descriptor;
}

task<> write_until_broken(stream& to) {
  const auto hung = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < hung) {
    const auto written = co_await to.write_all("text");
    if (!written && written.error() == std::errc::broken_pipe) co_return;
  }
  FAIL("no write has failed");
}

task<> write_to_reset_peer() {
  const auto here = co_await current_context();
  tcp_listener listener(event_loop::of(here), test::any_port);
  const int peer = dial(listener.bound());
  auto accepted = co_await listener.accept();
  tcp_stream connection = std::move(accepted).value("accept");
  const linger reset{1, 0};
  ::setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  ::close(peer);
  co_await write_until_broken(connection);
}

task<> write_to_gone_child() {
  const auto here = co_await current_context();
  child_options options;
  options.input = child_options::stream::piped;
  const std::vector<std::string> command{"true"};
  child_process child(event_loop::of(here), command, options);
  const auto ended = co_await child.wait();
  REQUIRE(ended);
  co_await write_until_broken(*child.input);
}

/// This program's hidden case `name`, in namespaces of its own that `setup` prepares.
std::vector<std::string> in_namespaces(const std::string& options, const std::string& setup,
                                       std::vector<std::string> command) {
  command.insert(command.begin(),
                 {"unshare", options, "sh", "-c", setup + R"( && exec "$@")", "sh"});
  return command;
}

void run_in_namespaces(const std::string& options, const std::string& setup,
                       const std::string& name) {
  if (test::run(in_namespaces(options, setup, {"true"})).status != 0) {
    WARN("skipped: there are no such namespaces here");
    return;
  }
  const auto itself = fs::read_symlink("/proc/self/exe").string();
  const auto ended = test::run(in_namespaces(options, setup, {itself, name}));
  INFO(ended.out << ended.err);
  REQUIRE(ended.status == 0);
}

}  // namespace

TEST_CASE("a write to a reset peer or a gone child fails, whoever runs the loop") {
  const broken_pipe_action deadly(SIG_DFL);
  SECTION("in an embedded loop") {
    run_embedded(write_to_reset_peer());
    run_embedded(write_to_gone_child());
  }
  SECTION("in a loop of berth's") {
    run(write_to_reset_peer());
    run(write_to_gone_child());
  }
}

TEST_CASE("a host's handler for SIGPIPE stays") {
  const auto handler = [](int) {};
  const broken_pipe_action hosts(handler);
  const auto before = broken_pipe_action::present();
  run(write_to_reset_peer());
  REQUIRE(broken_pipe_action::present() == before);
}

TEST_CASE("a socket name that does not fit is an error, and no part of it is used") {
  const test::temporary_directory directory;
  const auto body = [](fs::path in) -> task<> {
    const auto here = co_await current_context();
    event_loop& loop = event_loop::of(here);
    const std::size_t most = sizeof(sockaddr_un::sun_path) - 1;
    const std::size_t rest = most - in.string().size() - 1;
    const fs::path fits = in / std::string(rest, 'x');
    for (const fs::path& name : {in / std::string(rest + 1, 'x'), in / std::string(200, 'x')}) {
      CHECK_THROWS_WITH(local_listener(loop, name), Catch::Contains(name.string()));
      CHECK(fs::is_empty(in));
    }
    CHECK_THROWS_AS(local_listener(loop, fs::path()), error);
    local_listener listener(loop, fits);
    CHECK(fs::exists(fits));
    const auto longer = co_await local_connect(fits.string() + "y", deadline::after(20s));
    CHECK(longer.error() == std::errc::filename_too_long);
    const auto connected = co_await local_connect(fits, deadline::after(20s));
    CHECK(connected);
  };
  run(body(directory.path()));
}

TEST_CASE("a listener removes its own socket file, and no other that has its name by then") {
  const test::temporary_directory directory;
  const auto body = [](fs::path name) -> task<> {
    const auto here = co_await current_context();
    event_loop& loop = event_loop::of(here);
    local_listener first(loop, name);
    fs::remove(name);
    local_listener second(loop, name);
    first.close();
    const auto connected = co_await local_connect(name, deadline::after(20s));
    CHECK(connected);
    second.close();
    CHECK_FALSE(fs::exists(fs::symlink_status(name)));
    local_listener third(loop, name);
    fs::remove(name);
    test::write_text(name, "somebody's");
    third.close();
    CHECK(test::read_text(name) == "somebody's");
  };
  run(body(directory.path() / "socket"));
}

TEST_CASE("a listener finds its socket file after the current directory has changed") {
  const test::temporary_directory directory;
  const fs::path before = fs::current_path();
  const auto body = [&before](fs::path in) -> task<> {
    const auto here = co_await current_context();
    fs::current_path(in);
    local_listener listener(event_loop::of(here), "socket");
    fs::current_path(before);
    CHECK(fs::exists(in / "socket"));
    listener.close();
    CHECK_FALSE(fs::exists(in / "socket"));
  };
  run(body(directory.path()));
}

TEST_CASE("a child that is given up is collected when it ends") {
  const auto collected = [](int pid) -> task<> {
    siginfo_t unused{};
    const auto hung = std::chrono::steady_clock::now() + 30s;
    while (std::chrono::steady_clock::now() < hung) {
      if (::waitid(P_PID, static_cast<id_t>(pid), &unused, WEXITED | WNOHANG | WNOWAIT) != 0)
        co_return;
      (void)co_await sleep_for(1ms);
    }
    FAIL("the child is a zombie");
  };
  const auto body = [&collected]() -> task<> {
    const auto here = co_await current_context();
    event_loop& loop = event_loop::of(here);
    const std::vector<std::string> command{"cat"};
    child_options options;
    options.input = child_options::stream::piped;
    for (const bool by_leave : {false, true}) {
      int pid = 0;
      {
        child_process child(loop, command, options);
        pid = child.pid();
        const auto impatient = co_await child.wait(deadline::after(1ms));
        CHECK(impatient.timed_out());
        if (by_leave) {
          child.leave();
          CHECK_THROWS_AS(child.pid(), error);
          CHECK_THROWS_AS(child.kill(SIGTERM), error);
          CHECK_THROWS_AS(child.kill_session(SIGTERM), error);
        }
      }
      co_await collected(pid);
    }
  };
  run(body());
}

#ifdef __linux__
TEST_CASE("with a zone on the loopback interface", "[.zone]") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    event_loop& loop = event_loop::of(here);
    const endpoint zoned("fe80::1%lo", 0);
    tcp_listener listener(loop, zoned);
    CHECK(listener.bound().host == "fe80::1%lo");
    auto both = co_await when_all(listener.accept(), tcp_connect(listener.bound()));
    REQUIRE(std::get<0>(both));
    REQUIRE(std::get<1>(both));
    CHECK(std::get<0>(both)->peer().host == "fe80::1%lo");
    CHECK(std::get<1>(both)->peer() == listener.bound());

    const auto resolved = co_await resolve(listener.bound());
    REQUIRE(resolved);
    CHECK(resolved->front() == listener.bound());

    const endpoint everywhere("::", 0);
    udp_socket asked(loop, everywhere), asking(loop, zoned);
    const endpoint to("fe80::1%lo", asked.bound().port);
    std::array<std::byte, 4> bytes{};
    const auto sent = co_await asking.send(to, bytes);
    REQUIRE(sent);
    const auto got = co_await asked.receive(bytes, deadline::after(20s));
    REQUIRE(got);
    CHECK(got->from == asking.bound());
  };
  run(body());
}

TEST_CASE("the zone of an IPv6 address stays with it wherever addresses come from") {
  run_in_namespaces("-rn", "ip link set lo up && ip -6 addr add fe80::1/64 dev lo nodad",
                    "[.zone]");
}

TEST_CASE("with a process that has the pid of a child which has ended", "[.pid]") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    const std::vector<std::string> brief{"true"}, lasting{"cat"};
    child_options options;
    options.input = child_options::stream::piped;
    child_process ended(event_loop::of(here), brief);
    const int pid = ended.pid();
    const auto status = co_await ended.wait();
    REQUIRE(status);
    std::ofstream("/proc/sys/kernel/ns_last_pid") << pid - 1;
    child_process other(event_loop::of(here), lasting, options);
    REQUIRE(other.pid() == pid);
    ended.kill(SIGKILL);
    ended.kill_session(SIGKILL);
    CHECK_THROWS_WITH(other.kill(9999), Catch::Contains("signal"));
    other.input.reset();
    const auto by_itself = co_await other.wait();
    REQUIRE(by_itself);
    CHECK(by_itself->signal == 0);
  };
  run(body());
}

TEST_CASE("nothing is signalled by the pid of a child that has ended") {
  run_in_namespaces("-rpfm", "mount -t proc proc /proc && echo 100 > /proc/sys/kernel/ns_last_pid",
                    "[.pid]");
}

namespace {

/// Waits until `name`, or a change without a name, is told.
task<> until_told(directory_watch& watch, std::string_view name) {
  for (;;) {
    const auto changed = co_await watch.next(deadline::after(30s));
    REQUIRE(changed);
    if (changed->empty() || *changed == name) co_return;
  }
}

}  // namespace

TEST_CASE("a watch whose queue overflows says that something has changed") {
  const test::temporary_directory directory;
  const auto body = [](fs::path in) -> task<> {
    const auto here = co_await current_context();
    std::size_t most = 0;
    std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> most;
    std::ofstream one(in / "one"), other(in / "other");
    directory_watch watch(event_loop::of(here), in);
    for (std::size_t i = 0; i < most; ++i) {
      one << 'x' << std::flush;
      other << 'x' << std::flush;
    }
    test::write_text(in / "last", "");
    co_await until_told(watch, "last");
    test::write_text(in / "later", "");
    co_await until_told(watch, "later");
  };
  run(body(directory.path()));
}

TEST_CASE("a watched directory that is removed and made again is watched again") {
  const test::temporary_directory directory;
  const auto body = [](fs::path watched, bool moved) -> task<> {
    const auto here = co_await current_context();
    fs::create_directory(watched);
    directory_watch watch(event_loop::of(here), watched);
    if (moved)
      fs::rename(watched, watched.string() + "-moved");
    else
      fs::remove(watched);
    fs::create_directory(watched);
    co_await until_told(watch, "");
    test::write_text(watched / "new", "");
    bool told = false;
    while (!told) {
      const auto changed = co_await watch.next(deadline::after(30s));
      REQUIRE(changed);
      told = *changed == "new";
    }
    fs::remove_all(watched);
  };
  run(body(directory.path() / "watched", false));
  run(body(directory.path() / "watched", true));
}

TEST_CASE("with no inotify instance left", "[.instance]") {
  const test::temporary_directory directory;
  const auto body = [](fs::path in) -> task<> {
    const auto here = co_await current_context();
    CHECK_THROWS_WITH(directory_watch(event_loop::of(here), in),
                      Catch::Contains("fs.inotify.max_user_instances"));
  };
  run(body(directory.path()));
}

TEST_CASE("a watch that finds no inotify instance left names the limit to raise") {
  run_in_namespaces("-r", "echo 0 > /proc/sys/user/max_inotify_instances", "[.instance]");
}
#endif
