// TCP: a stream with addresses, a listener, and connect. The system picks a port for port 0, which
// can be read back. All on the loop's thread; a cancelled accept or connect ends at once, and
// neither loses nor leaks a connection. Using a stream or a listener that was closed or moved from
// throws berth::error.
#pragma once

#include <berth/coro/task.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/stream.hpp>
#include <berth/io/stream_connect.hpp>
#include <berth/io/unique_core.hpp>
#include <berth/io/wait_point.hpp>

namespace berth {

class tcp_stream : public stream {
 public:
  endpoint local() const;
  endpoint peer() const;
  /// Sends small writes at once; on by default.
  void no_delay(bool on);

 private:
  friend class tcp_listener;
  friend class tcp_connect_awaiter;
  explicit tcp_stream(stream_core* core);
};

struct listen_options {
  listen_options() = default;
  int backlog = 1024;       ///< connections that wait for accept; the system may allow fewer
  bool ipv6_only = false;   ///< for "::": refuse IPv4
  bool share_port = false;  ///< with listeners of this user that ask for it too (SO_REUSEPORT)
};

class tcp_listener {
 public:
  /// Binds and listens. `at` has a numeric address; resolve names before. Throws berth::error.
  tcp_listener(event_loop& loop, const endpoint& at, listen_options options = {});
  /// Takes over a TCP socket that another program has bound, such as a service manager. Throws
  /// berth::error if it is not one.
  tcp_listener(event_loop& loop, int descriptor);

  /// The address as bound, with the port that the system picked.
  const endpoint& bound() const;

  class accept_awaiter;
  /// The next connection. One accept may wait at a time; what nobody accepts waits in the backlog.
  accept_awaiter accept(deadline until = deadline::never()) noexcept;

  /// Stops listening now: connections in the backlog are reset.
  void close() noexcept;

 private:
  struct core;
  unique_core<core> core_;
};

extern template struct core_closer<tcp_listener::core>;

/// Throws berth::error if another socket is bound there, even one that would share its port.
void check_port_is_free(event_loop& loop, const endpoint& at);

class [[nodiscard]] tcp_listener::accept_awaiter final : public point_waiter {
 public:
  accept_awaiter(core* from, deadline until) noexcept;
  result<tcp_stream> await_resume();

 private:
  core* core_;
};

class [[nodiscard]] tcp_connect_awaiter final : public stream_connect {
 public:
  tcp_connect_awaiter(endpoint to, deadline until) noexcept
      : stream_connect(until), to_(std::move(to)) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    return start(awaiting, awaiting.promise().context());
  }
  result<tcp_stream> await_resume();

 private:
  bool start(std::coroutine_handle<> awaiting, const execution_context& context);

  endpoint to_;
};

/// Connects to a numeric address.
inline tcp_connect_awaiter tcp_connect(endpoint to, deadline until = deadline::never()) noexcept {
  return tcp_connect_awaiter(std::move(to), until);
}

/// Connects to a name or an address: to the first of its addresses that answers. Each has a head
/// start of a quarter of a second over the next (RFC 8305, 5), or less if it fails before.
task<result<tcp_stream>> connect(endpoint named, deadline until = deadline::never());

}  // namespace berth
