#include <berth/io/tcp.hpp>

#include <optional>

#include <fmt/format.h>

#include <berth/io/close_core.hpp>
#include <berth/io/connect_request.hpp>
#include <berth/io/port_sharing.hpp>
#include <berth/io/socket_address.hpp>
#include <berth/io/stream_listener.hpp>

namespace berth {
namespace {

using name_function = int (*)(const uv_tcp_t*, sockaddr*, int*);

endpoint name_of(const uv_tcp_t* tcp, name_function ask) {
  sockaddr_storage storage{};
  int size = sizeof storage;
  if (ask(tcp, reinterpret_cast<sockaddr*>(&storage), &size) < 0) return {};
  return to_endpoint(reinterpret_cast<const sockaddr*>(&storage));
}

int bind(uv_tcp_t& socket, const socket_address& address, const listen_options& options) {
  if (options.share_port) {
    const int status = allow_port_sharing(socket);
    if (status < 0) return status;
  }
  return uv_tcp_bind(&socket, address.get(), options.ipv6_only ? UV_TCP_IPV6ONLY : 0);
}

}  // namespace

void check_port_is_free(event_loop& loop, const endpoint& at) {
  const auto address = numeric_address(at);
  if (!address) return;
  auto probe = std::make_unique<uv_tcp_t>();
  const auto family = static_cast<unsigned>(address->storage.ss_family);
  if (uv_tcp_init_ex(loop.native(), probe.get(), family) < 0) return;
  int status = uv_tcp_bind(probe.get(), address->get(), 0);
  sockaddr_storage bound{};
  int size = sizeof bound;
  // libuv reports only here that the address is in use.
  if (status == 0)
    status = uv_tcp_getsockname(probe.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  uv_close(reinterpret_cast<uv_handle_t*>(probe.release()),
           [](uv_handle_t* of) { delete reinterpret_cast<uv_tcp_t*>(of); });
  check_uv(status, "listen on", to_string(at));
}

tcp_stream::tcp_stream(stream_core* core) : stream(core) { no_delay(true); }

endpoint tcp_stream::local() const {
  return name_of(&check_open(core_.get(), "read an address").native.tcp, uv_tcp_getsockname);
}

endpoint tcp_stream::peer() const {
  return name_of(&check_open(core_.get(), "read an address").native.tcp, uv_tcp_getpeername);
}

void tcp_stream::no_delay(bool on) {
  uv_tcp_nodelay(&check_open(core_.get(), "set an option").native.tcp, on ? 1 : 0);
}

struct tcp_listener::core final : listener_core {
  endpoint bound;
};
template struct core_closer<tcp_listener::core>;

tcp_listener::tcp_listener(event_loop& loop, const endpoint& at, listen_options options) {
  const std::string name = to_string(at);
  const auto address = numeric_address(at);
  if (!address)
    throw error(std::make_error_code(std::errc::address_not_available), "bind to", name);

  auto made = std::make_unique<core>();
  const auto family = static_cast<unsigned>(address->storage.ss_family);
  check_uv(uv_tcp_init_ex(loop.native(), &made->native.tcp, family), "bind to", name);
  core* const listening = made.release();  // from here on it deletes itself
  listening->listen(bind(listening->native.tcp, *address, options), options.backlog, name);
  listening->bound = name_of(&listening->native.tcp, uv_tcp_getsockname);
  core_.reset(listening);
}

tcp_listener::tcp_listener(event_loop& loop, int descriptor) {
  const std::string name = fmt::format("socket {}", descriptor);
  auto made = std::make_unique<core>();
  check_uv(uv_tcp_init(loop.native(), &made->native.tcp), "listen on", name);
  core* const listening = made.release();
  int status = uv_tcp_open(&listening->native.tcp, static_cast<uv_os_sock_t>(descriptor));
  if (status == 0) {
    listening->bound = name_of(&listening->native.tcp, uv_tcp_getsockname);
    if (listening->bound.port == 0) status = UV_EINVAL;
  }
  listening->listen(status, listen_options().backlog, name);
  core_.reset(listening);
}

const endpoint& tcp_listener::bound() const {
  return check_open(core_.get(), "read an address").bound;
}

void tcp_listener::close() noexcept { core_.reset(); }

tcp_listener::accept_awaiter tcp_listener::accept(deadline until) noexcept {
  return accept_awaiter(core_.get(), until);
}

tcp_listener::accept_awaiter::accept_awaiter(core* from, deadline until) noexcept
    : point_waiter(from, until), core_(from) {}

result<tcp_stream> tcp_listener::accept_awaiter::await_resume() {
  if (const auto failed = why_nothing()) return *failed;
  stream_core* const made = stream_core::of_tcp(core_->native.tcp.loop).release();
  const int status = core_->accept_into(*made);
  tcp_stream connection(made);
  if (status < 0) return failure(uv_error_code(status));
  return connection;
}

bool tcp_connect_awaiter::start(std::coroutine_handle<> awaiting,
                                const execution_context& context) {
  const auto address = numeric_address(to_);
  if (!address) {
    refused(UV_EADDRNOTAVAIL);
    return ends_at_once(awaiting, context);
  }
  stream_core* const made = stream_core::of_tcp(event_loop::of(context).native()).release();
  request* const begun = begin_request(awaiting, context, made);
  if (!begun) return ends_at_once(awaiting, context);
  const int status =
      uv_tcp_connect(&begun->native, &made->native.tcp, address->get(), request::ended);
  if (status < 0) refused(status);
  return status == 0;
}

result<tcp_stream> tcp_connect_awaiter::await_resume() {
  if (!connected_) return why_not();
  tcp_stream connection(connected_);
  if (given_up() != stop_reason::none || status_ < 0) return why_not();
  return connection;
}

}  // namespace berth
