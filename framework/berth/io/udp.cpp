#include <berth/io/udp.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include <berth/io/close_core.hpp>
#include <berth/io/socket_address.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {

struct udp_socket::core final : wait_point {
  static constexpr std::size_t largest = 64 * 1024;  // of any datagram

  bool ready() const noexcept override { return arrived || status < 0; }

  // The kernel is asked for one datagram at a time: the next one waits there.
  void receive() noexcept {
    if (receiving || ready()) return;
    const auto allocate = [](uv_handle_t* of, std::size_t, uv_buf_t* into) {
      auto& self = *static_cast<core*>(of->data);
      *into = uv_buf_init(self.buffer.data(), static_cast<unsigned>(self.buffer.size()));
    };
    const auto received = [](uv_udp_t* of, ssize_t length, const uv_buf_t*, const sockaddr* from,
                             unsigned) {
      auto& self = *static_cast<core*>(of->data);
      if (length == 0 && !from) return;  // nothing more to read for now
      uv_udp_recv_stop(of);
      self.receiving = false;
      if (length < 0)
        self.status = static_cast<int>(length);
      else
        self.arrived = datagram{static_cast<std::size_t>(length), false, to_endpoint(from)};
      self.wake();
    };
    const int begun = uv_udp_recv_start(&native, allocate, received);
    receiving = begun == 0;
    if (begun < 0) status = begun;
  }
  void close() noexcept {
    uv_close(reinterpret_cast<uv_handle_t*>(&native),
             [](uv_handle_t* of) { delete static_cast<core*>(of->data); });
    end_waiting();
  }

  uv_udp_t native;
  endpoint bound;
  std::vector<char> buffer = std::vector<char>(largest);
  std::optional<datagram> arrived;
  int status = 0;
  bool receiving = false;
};
template struct core_closer<udp_socket::core>;

udp_socket::udp_socket(event_loop& loop, const endpoint& at) {
  const std::string name = to_string(at);
  const auto address = numeric_address(at);
  if (!address)
    throw error(std::make_error_code(std::errc::address_not_available), "bind to", name);
  auto made = std::make_unique<core>();
  check_uv(uv_udp_init(loop.native(), &made->native), "bind to", name);
  made->native.data = made.get();
  core_.reset(made.release());  // from here on it deletes itself
  sockaddr_storage bound{};
  int size = sizeof bound;
  int status = uv_udp_bind(&core_->native, address->get(), 0);
  if (status == 0)
    status = uv_udp_getsockname(&core_->native, reinterpret_cast<sockaddr*>(&bound), &size);
  if (status < 0) {
    close();
    check_uv(status, "bind to", name);
  }
  core_->bound = to_endpoint(reinterpret_cast<const sockaddr*>(&bound));
}

const endpoint& udp_socket::bound() const {
  return check_open(core_.get(), "read an address").bound;
}

void udp_socket::close() noexcept { core_.reset(); }

udp_socket::receive_awaiter udp_socket::receive(std::span<std::byte> into,
                                                deadline until) noexcept {
  return receive_awaiter(core_.get(), into, until);
}

udp_socket::receive_awaiter::receive_awaiter(core* from, std::span<std::byte> into,
                                             deadline until) noexcept
    : point_waiter(from, until), core_(from), into_(into) {}

void udp_socket::receive_awaiter::begin_receiving() noexcept {
  if (core_) core_->receive();
}

result<datagram> udp_socket::receive_awaiter::await_resume() {
  if (const auto failed = why_nothing()) return *failed;
  if (const int status = std::exchange(core_->status, 0)) return failure(uv_error_code(status));
  datagram taken = *std::exchange(core_->arrived, std::nullopt);
  taken.truncated = taken.size > into_.size();
  taken.size = std::min(taken.size, into_.size());
  std::memcpy(into_.data(), core_->buffer.data(), taken.size);
  return taken;
}

/// Owns the datagram, since the socket may be destroyed before it is sent.
struct udp_socket::send_request {
  uv_udp_send_t native;
  std::vector<char> content;
  send_awaiter* waiting;
};

bool udp_socket::send_awaiter::start(std::coroutine_handle<> awaiting,
                                     const execution_context& context) {
  const auto address = core_ ? numeric_address(to_) : std::nullopt;
  if (!address) {
    status_ = core_ ? UV_EADDRNOTAVAIL : UV_EBADF;
    return ends_at_once(awaiting, context);
  }
  if (content_.size() > core::largest) {
    status_ = UV_EMSGSIZE;
    return ends_at_once(awaiting, context);
  }
  auto* const bytes = reinterpret_cast<char*>(const_cast<std::byte*>(content_.data()));
  const uv_buf_t now = uv_buf_init(bytes, static_cast<unsigned>(content_.size()));
  if (!context.stop.stop_requested()) {
    status_ = uv_udp_try_send(&core_->native, &now, 1, address->get());
    if (status_ != UV_EAGAIN && status_ != UV_ENOSYS) return ends_at_once(awaiting, context);
    status_ = 0;
  }
  if (!begin(awaiting, context, until_)) return ends_at_once(awaiting, context);
  auto made = std::make_unique<send_request>();
  made->native.data = made.get();
  made->content.assign(bytes, bytes + content_.size());
  made->waiting = this;
  const uv_buf_t later =
      uv_buf_init(made->content.data(), static_cast<unsigned>(made->content.size()));
  const auto sent = [](uv_udp_send_t* native, int status) {
    const std::unique_ptr<send_request> done(static_cast<send_request*>(native->data));
    if (!done->waiting) return;
    done->waiting->status_ = status;
    done->waiting->complete_now();
  };
  status_ = uv_udp_send(&made->native, &core_->native, &later, 1, address->get(), sent);
  if (status_ < 0) return false;
  request_ = made.release();
  return true;
}

bool udp_socket::send_awaiter::abandon() noexcept {
  request_->waiting = nullptr;
  return true;
}

result<void> udp_socket::send_awaiter::await_resume() const {
  if (given_up() != stop_reason::none) return failure::cancelled(given_up());
  if (!core_) throw_closed("send a datagram");
  if (status_ < 0) return failure(uv_error_code(status_));
  return {};
}

udp_socket::send_awaiter udp_socket::send(endpoint to, std::span<const std::byte> content,
                                          deadline until) {
  return send_awaiter(core_.get(), std::move(to), content, until);
}

}  // namespace berth
