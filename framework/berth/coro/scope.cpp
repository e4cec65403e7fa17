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
  started.check_can_begin();
  ++running_;
  started.release().begin(*this, context_).resume();
}

void scope::fail(std::exception_ptr thrown) noexcept {
  if (first_thrown_) return;
  first_thrown_ = std::move(thrown);
  stop_.request_stop(stop_reason::sibling_failed);
}

void scope::join_awaiter::throw_second_join() {
  throw error("cannot join a scope: another task joins it already",
              std::make_error_code(std::errc::device_or_resource_busy));
}

std::coroutine_handle<> scope::ended(task_promise_base& promise) noexcept {
  if (promise.has_thrown()) fail(promise.thrown());
  promise.frame().destroy();
  if (--running_ > 0 || !joining_) return std::noop_coroutine();
  return std::exchange(joining_, {});
}

}  // namespace berth
