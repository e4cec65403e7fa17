// Writes to a peer that is gone, and SIGPIPE.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include <berth/base/error.hpp>
#include <berth/coro/root_task.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>

#include <uv.h>

#include "support/catch.hpp"
#include "support/streams.hpp"

using namespace berth;
using namespace std::chrono_literals;

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
