// Rows for connections, datagrams, directory watches, signals and child processes.
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <optional>

#include <berth/coro/deadline.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/directory_watch.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/local.hpp>
#include <berth/io/signal_set.hpp>
#include <berth/io/tcp.hpp>
#include <berth/io/udp.hpp>

#include "cancel_matrix/row.hpp"
#include "support/streams.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace cancel_matrix_test;
using namespace std::chrono_literals;

namespace {

struct connected_row : row {
  using row::row;
  std::optional<test::pair_of_streams> streams;
  std::array<std::byte, 64 * 1024> buffer{};
  task<> prepare() override {
    auto made = co_await test::connect_pair();
    streams.emplace(std::move(made));
  }
  /// Until the peer's window and all buffers on the way are full.
  task<> fill() {
    for (;;) {
      const auto sent = co_await streams->client.write_all(buffer, deadline::after(20ms));
      if (!sent) co_return;
    }
  }
  task<> read_all() {
    for (;;) {
      const auto size = co_await streams->server.read_some(buffer);
      if (!size || *size == 0) co_return;
    }
  }
};

ROW(read_row, connected_row, "stream::read_some") {
  using connected_row::connected_row;
  task<> send() {
    const auto sent = co_await streams->client.write_all("x");
    (void)sent;
  }
  AWAIT(streams->server.read_some(buffer))
  void complete() override { help(send()); }
};

ROW(write_row, connected_row, "stream::write_all") {
  using connected_row::connected_row;
  task<> prepare() override {
    co_await connected_row::prepare();
    co_await fill();
  }
  AWAIT(streams->client.write_all("x"))
  void complete() override { help(read_all()); }
};

ROW(shutdown_row, connected_row, "stream::shutdown") {
  using connected_row::connected_row;
  task<> prepare() override {
    co_await connected_row::prepare();
    co_await fill();
  }
  AWAIT(streams->client.shutdown())
  void complete() override { help(read_all()); }
  bool can_wait_again() const override { return false; }  // it was begun, and cannot be twice
};

struct listening_row : row {
  using row::row;
  tcp_listener listener{loop, test::any_port};
  std::optional<tcp_stream> other_end;
  task<> come() {
    auto connected = co_await tcp_connect(listener.bound());
    if (connected) other_end.emplace(std::move(*connected));
  }
};

ROW(accept_row, listening_row, "tcp_listener::accept") {
  using listening_row::listening_row;
  AWAIT(listener.accept())
  void complete() override { help(come()); }
};

ROW(tcp_connect_row, listening_row, "tcp_connect") {
  using listening_row::listening_row;
  AWAIT(tcp_connect(listener.bound()))
  void complete() override {}  // the kernel does
};

ROW(connect_row, listening_row, "connect") {
  using listening_row::listening_row;
  endpoint named{"localhost", listener.bound().port};
  AWAIT(connect(named))
  void complete() override {}
};

struct local_row : row {
  using row::row;
  test::temporary_directory directory;
#ifdef _WIN32
  std::filesystem::path name = "\\\\.\\pipe\\" + directory.path().filename().string();
#else
  std::filesystem::path name = directory.path() / "socket";
#endif
  local_listener listener{loop, name};
  std::optional<local_stream> other_end;
  task<> come() {
    auto connected = co_await local_connect(name);
    if (connected) other_end.emplace(std::move(*connected));
  }
};

ROW(local_accept_row, local_row, "local_listener::accept") {
  using local_row::local_row;
  AWAIT(listener.accept())
  void complete() override { help(come()); }
};

ROW(local_connect_row, local_row, "local_connect") {
  using local_row::local_row;
  AWAIT(local_connect(name))
  void complete() override {}
};

struct udp_row : row {
  using row::row;
  udp_socket one{loop, test::any_port}, other{loop, test::any_port};
  std::array<std::byte, 64> buffer{};
};

ROW(udp_receive_row, udp_row, "udp_socket::receive") {
  using udp_row::udp_row;
  task<> send() {
    const auto sent = co_await other.send(one.bound(), buffer);
    (void)sent;
  }
  AWAIT(one.receive(buffer))
  void complete() override { help(send()); }
};

ROW(udp_send_row, udp_row, "udp_socket::send") {
  using udp_row::udp_row;
  AWAIT(one.send(other.bound(), buffer))
  void complete() override {}
};

ROW(watch_row, row, "directory_watch::next") {
  using row::row;
  test::temporary_directory directory;
  directory_watch watch{loop, directory.path()};
  AWAIT(watch.next())
  void complete() override { test::write_text(directory.path() / "new", "x"); }
};

#ifndef _WIN32
ROW(signal_row, row, "signal_set::next") {
  using row::row;
  signal_set signals{loop, {SIGUSR1}};
  AWAIT(signals.next())
  void complete() override { std::raise(SIGUSR1); }
};

ROW(child_row, row, "child_process::wait") {
  explicit child_row(event_loop & on) : row(on), child(on, {"cat"}, with_pipe()) {}
  static child_options with_pipe() {
    child_options options;
    options.input = child_options::stream::piped;
    return options;
  }
  child_process child;
  AWAIT(child.wait())
  void complete() override { child.input.reset(); }
  task<> tidy() override {
    child.kill(SIGKILL);
    co_await row::tidy();
  }
};
#endif

}  // namespace
