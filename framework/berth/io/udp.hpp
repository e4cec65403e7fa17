// A UDP socket: datagrams to and from any address. Datagrams that arrive while no task receives
// wait in the kernel, except for one; those that it has no room for are lost, as is usual with UDP.
// On the loop's thread. A cancelled receive loses nothing; a cancelled send may have sent its
// datagram. Using a socket that was closed or moved from throws berth::error.
#pragma once

#include <cstddef>
#include <span>

#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/unique_core.hpp>
#include <berth/io/wait_point.hpp>

namespace berth {

struct datagram {
  std::size_t size = 0;    ///< bytes that were put into the buffer
  bool truncated = false;  ///< it was longer than the buffer
  endpoint from;
};

class udp_socket {
 public:
  /// Binds to a numeric address, whose port may be 0. Throws berth::error.
  udp_socket(event_loop& loop, const endpoint& at);

  /// The address as bound, with the port that the system picked.
  const endpoint& bound() const;

  class receive_awaiter;
  /// The next datagram. One task may receive at a time.
  receive_awaiter receive(std::span<std::byte> into, deadline until = deadline::never()) noexcept;

  class send_awaiter;
  /// Waits while the kernel has no room. One task may send at a time.
  send_awaiter send(endpoint to, std::span<const std::byte> content,
                    deadline until = deadline::never());

  void close() noexcept;

 private:
  struct core;
  struct send_request;
  unique_core<core> core_;
};

extern template struct core_closer<udp_socket::core>;

class [[nodiscard]] udp_socket::receive_awaiter final : public point_waiter {
 public:
  receive_awaiter(core* from, std::span<std::byte> into, deadline until) noexcept;
  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    begin_receiving();
    return point_waiter::await_suspend(awaiting);
  }
  result<datagram> await_resume();

 private:
  void begin_receiving() noexcept;

  core* core_;
  std::span<std::byte> into_;
};

class [[nodiscard]] udp_socket::send_awaiter final : public waiter {
 public:
  send_awaiter(core* from, endpoint to, std::span<const std::byte> content, deadline until)
      : core_(from), to_(std::move(to)), content_(content), until_(until) {}
  send_awaiter(send_awaiter&& other) noexcept
      : waiter(std::move(other)),
        core_(other.core_),
        to_(std::move(other.to_)),
        content_(other.content_),
        until_(other.until_) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    return start(awaiting, awaiting.promise().context());
  }
  result<void> await_resume() const;

 private:
  friend struct send_request;
  bool start(std::coroutine_handle<> awaiting, const execution_context& context);
  bool abandon() noexcept override;

  core* core_;
  endpoint to_;
  std::span<const std::byte> content_;
  deadline until_;
  send_request* request_ = nullptr;
  int status_ = 0;
};

}  // namespace berth
