#include <berth/io/offload.hpp>

#include <memory>

#include <uv.h>

#include <berth/io/event_loop.hpp>
#include <berth/io/thread_pool.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {

struct pool_job::request {
  uv_work_t native;
  pool_job* job;
};

bool pool_job::enqueue(std::coroutine_handle<> awaiting, const execution_context& context) {
  uv_loop_t* const loop = event_loop::of(context).native();
  auto made = std::make_unique<request>();
  made->native.data = made.get();
  made->job = this;
  if (!begin(awaiting, context, until_)) return ends_at_once(awaiting, context);
  if (!thread_pool_starts()) {
    ran_ = true;
    work();
    return false;
  }
  status_ = uv_queue_work(
      loop, &made->native,
      [](uv_work_t* native) { static_cast<request*>(native->data)->job->work(); },
      [](uv_work_t* native, int status) {
        const std::unique_ptr<request> done(static_cast<request*>(native->data));
        done->job->ran_ = status != UV_ECANCELED;
        done->job->status_ = status;
        done->job->complete_now();
      });
  if (status_ < 0) return false;
  request_ = made.release();
  return true;
}

// Either way the answer comes through the request: cancelled, or done.
bool pool_job::abandon() noexcept {
  uv_cancel(reinterpret_cast<uv_req_t*>(&request_->native));
  return false;
}

failure pool_job::why_not() const noexcept {
  if (given_up() != stop_reason::none) return failure::cancelled(given_up());
  return uv_error_code(status_);
}

}  // namespace berth
