#include <berth/io/stream_connect.hpp>

#include <memory>

#include <berth/io/connect_request.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {

void stream_connect::request::ended(uv_connect_t* native, int status) {
  const std::unique_ptr<request> done(static_cast<request*>(native->data));
  if (!done->waiting) return;
  done->waiting->status_ = status;
  done->waiting->connected_ = done->core;
  done->waiting->complete_now();
}

stream_connect::request* stream_connect::begin_request(std::coroutine_handle<> awaiting,
                                                       const execution_context& context,
                                                       stream_core* made) {
  if (!begin(awaiting, context, until_)) {
    made->close();
    return nullptr;
  }
  request_ = new request{{}, made, this};
  request_->native.data = request_;
  return request_;
}

void stream_connect::refused(int status) noexcept {
  status_ = status;
  if (!request_) return;
  request_->core->close();
  delete std::exchange(request_, nullptr);
}

bool stream_connect::abandon() noexcept {
  request_->waiting = nullptr;
  request_->core->close();  // libuv then answers the request, which deletes itself
  return true;
}

failure stream_connect::why_not() const noexcept {
  if (given_up() != stop_reason::none) return failure::cancelled(given_up());
  return uv_error_code(status_);
}

}  // namespace berth
