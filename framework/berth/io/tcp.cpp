#include <berth/io/tcp.hpp>

#include <memory>
#include <optional>

#include <berth/io/socket_address.hpp>
#include <berth/io/stream_core.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {
namespace {

using name_function = int (*)(const uv_tcp_t*, sockaddr*, int*);

endpoint name_of(const uv_tcp_t* tcp, name_function ask) {
  sockaddr_storage storage{};
  int size = sizeof storage;
  if (ask(tcp, reinterpret_cast<sockaddr*>(&storage), &size) < 0) return {};
  return to_endpoint(reinterpret_cast<const sockaddr*>(&storage));
}

std::unique_ptr<stream_core> new_stream_core(uv_loop_t* loop) {
  auto made = std::make_unique<stream_core>();
  uv_tcp_init(loop, &made->tcp);
  made->tcp.data = made.get();
  return made;
}

}  // namespace

tcp_stream::tcp_stream(stream_core* core) noexcept : stream(core) { no_delay(true); }

endpoint tcp_stream::local() const { return name_of(&core_->tcp, uv_tcp_getsockname); }

endpoint tcp_stream::peer() const { return name_of(&core_->tcp, uv_tcp_getpeername); }

void tcp_stream::no_delay(bool on) noexcept { uv_tcp_nodelay(&core_->tcp, on ? 1 : 0); }

struct tcp_listener::core final : wait_point {
  bool ready() const noexcept override { return pending > 0 || status < 0; }
  uv_stream_t* handle() noexcept { return reinterpret_cast<uv_stream_t*>(&tcp); }
  void announce(int announced) noexcept {
    if (announced < 0)
      status = announced;
    else
      ++pending;
    wake();
  }
  void close() noexcept {
    uv_close(reinterpret_cast<uv_handle_t*>(&tcp),
             [](uv_handle_t* of) { delete static_cast<core*>(of->data); });
    end_waiting();
  }

  uv_tcp_t tcp;
  endpoint bound;
  int pending = 0;  // announced by libuv and not accepted yet
  int status = 0;   // of an announcement that failed
};

tcp_listener::tcp_listener(event_loop& loop, const endpoint& at, listen_options options)
    : core_(nullptr) {
  const std::string name = to_string(at);
  const auto address = numeric_address(at);
  if (!address)
    throw error(std::make_error_code(std::errc::address_not_available), "bind to", name);

  auto made = std::make_unique<core>();
  check_uv(uv_tcp_init(loop.native(), &made->tcp), "bind to", name);
  made->tcp.data = made.get();
  core_ = made.release();  // from here on it is libuv that deletes it
  const unsigned flags = options.ipv6_only ? UV_TCP_IPV6ONLY : 0;
  int status = uv_tcp_bind(&core_->tcp, address->get(), flags);
  if (status == 0)
    status = uv_listen(core_->handle(), options.backlog, [](uv_stream_t* of, int announced) {
      static_cast<core*>(of->data)->announce(announced);
    });
  if (status < 0) {
    close();
    check_uv(status, "listen on", name);
  }
  core_->bound = name_of(&core_->tcp, uv_tcp_getsockname);
}

const endpoint& tcp_listener::bound() const noexcept { return core_->bound; }

void tcp_listener::close() noexcept {
  if (core_) std::exchange(core_, nullptr)->close();
}

tcp_listener::accept_awaiter tcp_listener::accept(deadline until) noexcept {
  return accept_awaiter(core_, until);
}

tcp_listener::accept_awaiter::accept_awaiter(core* from, deadline until) noexcept
    : point_waiter(from, until), core_(from) {}

result<tcp_stream> tcp_listener::accept_awaiter::await_resume() {
  if (const auto failed = why_nothing()) return *failed;
  if (const int status = std::exchange(core_->status, 0)) return failure(uv_error_code(status));
  auto accepted = new_stream_core(core_->tcp.loop);
  --core_->pending;
  const int status = uv_accept(core_->handle(), accepted->handle());
  tcp_stream connection(accepted.release());
  if (status < 0) return failure(uv_error_code(status));
  return connection;
}

struct connect_awaiter::request {
  uv_connect_t native;
  stream_core* core;
  connect_awaiter* waiting;
};

bool connect_awaiter::start(std::coroutine_handle<> awaiting, const execution_context& context) {
  uv_loop_t* const loop = event_loop::of(context).native();
  const auto address = numeric_address(to_);
  if (!address) {
    status_ = UV_EADDRNOTAVAIL;
    return false;
  }
  if (!begin(awaiting, context, until_)) return false;
  auto made = std::make_unique<request>();
  made->native.data = made.get();
  made->waiting = this;
  made->core = new_stream_core(loop).release();
  const auto connected = [](uv_connect_t* native, int status) {
    const std::unique_ptr<request> done(static_cast<request*>(native->data));
    if (!done->waiting) return;
    done->waiting->status_ = status;
    done->waiting->connected_ = done->core;
    done->waiting->complete_now();
  };
  status_ = uv_tcp_connect(&made->native, &made->core->tcp, address->get(), connected);
  if (status_ < 0) {
    made->core->close();
    return false;
  }
  request_ = made.release();
  return true;
}

bool connect_awaiter::abandon() noexcept {
  request_->waiting = nullptr;
  request_->core->close();  // libuv then answers the request, which deletes itself
  return true;
}

result<tcp_stream> connect_awaiter::await_resume() {
  if (given_up() != stop_reason::none) return failure::cancelled(given_up());
  if (connected_) {
    tcp_stream connection(connected_);
    if (status_ == 0) return connection;
  }
  return failure(uv_error_code(status_));
}

}  // namespace berth
