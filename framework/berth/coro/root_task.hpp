// The outermost task of a loop: starts it, reports when it has ended, and takes its result. The
// bridge from ordinary code to coroutines, used by sync_wait and event_loop::run.
#pragma once

#include <functional>

#include <berth/coro/task.hpp>

namespace berth {

template <typename T>
class root_task final : private task_observer {
 public:
  explicit root_task(task<T> outermost, std::function<void()> on_end = {})
      : task_(std::move(outermost)), on_end_(std::move(on_end)) {
    task_.check_can_begin();
  }

  void start(const execution_context& context) { task_.promise().begin(*this, context).resume(); }
  bool ended() const noexcept { return ended_; }
  T take() { return task_.promise().take(); }

 private:
  std::coroutine_handle<> ended(task_promise_base&) noexcept override {
    ended_ = true;
    if (on_end_) on_end_();
    return std::noop_coroutine();
  }

  task<T> task_;
  std::function<void()> on_end_;
  bool ended_ = false;
};

}  // namespace berth
