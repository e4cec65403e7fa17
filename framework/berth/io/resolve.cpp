#include <berth/io/resolve.hpp>

#include <memory>

#include <berth/coro/waiter.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/socket_address.hpp>
#include <berth/io/thread_pool.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {
namespace {

class resolve_awaiter;

struct resolve_request {
  uv_getaddrinfo_t native;
  resolve_awaiter* waiting;
};

class resolve_awaiter : private waiter {
 public:
  resolve_awaiter(const endpoint& named, deadline until) noexcept : named_(named), until_(until) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    const auto& here = awaiting.promise().context();
    event_loop& loop = event_loop::of(here);
    if (named_.host.find('\0') != std::string::npos) {
      status_ = UV_EINVAL;
      return ends_at_once(awaiting, here);
    }
    if (!begin(awaiting, here, until_)) return ends_at_once(awaiting, here);
    auto request = std::make_unique<resolve_request>();
    request->native.data = request.get();
    request->waiting = this;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    const bool at_once = !thread_pool_starts();
    status_ = uv_getaddrinfo(loop.native(), &request->native, at_once ? nullptr : answered,
                             named_.host.c_str(), nullptr, &hints);
    if (at_once && status_ == 0) take(request->native.addrinfo);
    if (at_once || status_ < 0) return false;
    request_ = request.release();
    return true;
  }
  result<std::vector<endpoint>> await_resume() {
    if (given_up() != stop_reason::none) return failure::cancelled(given_up());
    if (status_ < 0) return failure(uv_error_code(status_));
    return std::move(found_);
  }

 private:
  static void answered(uv_getaddrinfo_t* native, int status, addrinfo* addresses) {
    const std::unique_ptr<resolve_request> request(static_cast<resolve_request*>(native->data));
    resolve_awaiter* const waiting = request->waiting;
    if (!waiting) return uv_freeaddrinfo(addresses);
    waiting->status_ = status;
    waiting->take(addresses);
    waiting->complete_now();
  }

  void take(addrinfo* addresses) {
    for (const addrinfo* each = addresses; each; each = each->ai_next) {
      endpoint one = to_endpoint(each->ai_addr);
      one.port = named_.port;
      found_.push_back(std::move(one));
    }
    uv_freeaddrinfo(addresses);
  }

  bool abandon() noexcept override {
    request_->waiting = nullptr;
    uv_cancel(reinterpret_cast<uv_req_t*>(&request_->native));
    return true;
  }

  const endpoint& named_;
  deadline until_;
  resolve_request* request_ = nullptr;
  int status_ = 0;
  std::vector<endpoint> found_;
};

}  // namespace

task<result<std::vector<endpoint>>> resolve(endpoint named, deadline until) {
  if (numeric_address(named)) {
    std::vector<endpoint> itself;
    itself.push_back(std::move(named));
    co_return itself;
  }
  if (named.host == "localhost") {  // RFC 6761, 6.3: always the loopback addresses; asks nobody
    std::vector<endpoint> loopback;
    loopback.emplace_back("127.0.0.1", named.port);
    loopback.emplace_back("::1", named.port);
    co_return loopback;
  }
  auto found = co_await resolve_awaiter(named, until);
  co_return found;
}

}  // namespace berth
