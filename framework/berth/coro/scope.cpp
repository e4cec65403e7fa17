#include <berth/coro/scope.hpp>

#include <cstdio>
#include <cstdlib>

namespace berth {

scope::scope(const execution_context& context) noexcept
    : stop_(context.stop), context_{context.loop, stop_.token()} {}

scope::~scope() {
  if (running_ == 0) return;
  std::fprintf(stderr, "berth: a scope was destroyed with %zu running tasks; join it first\n",
               running_);
  std::abort();
}

void scope::spawn(task<void> started) {
  ++running_;
  started.release().begin(*this, context_).resume();
}

std::coroutine_handle<> scope::ended(task_promise_base& promise) noexcept {
  if (promise.thrown() && !first_thrown_) {
    first_thrown_ = promise.thrown();
    stop_.request_stop(stop_reason::sibling_failed);
  }
  promise.frame().destroy();
  if (--running_ > 0 || !joining_) return std::noop_coroutine();
  return std::exchange(joining_, {});
}

}  // namespace berth
