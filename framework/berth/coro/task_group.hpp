// Several tasks that one coroutine awaits together: the common part of when_all, when_any and
// timeout. The tasks run under a stop source of the group, which follows the awaiting coroutine's;
// the group ends when every task has ended, with whatever outcome. Lives in the awaiting frame;
// allocates nothing.
#pragma once

#include <cstddef>
#include <exception>
#include <variant>

#include <berth/coro/task.hpp>

namespace berth {

class task_group : private task_observer {
 protected:
  task_group() noexcept = default;
  // Movable until it is awaited, like every awaiter.
  task_group(task_group&&) noexcept : task_group() {}
  ~task_group() = default;

  void open(std::coroutine_handle<> awaiting, const execution_context& context) noexcept {
    awaiting_ = awaiting;
    context_.loop = context.loop;
    context_.stop = stop_.token();
    stop_.follow(context.stop);
  }
  void start(task_promise_base& promise) noexcept {
    ++running_;
    promise.begin(*this, context_).resume();
  }
  /// Call it after the last start. Returns whether to suspend, because some tasks are still
  /// running.
  bool close() noexcept { return --running_ > 0; }

  /// One task has ended; called before the awaiting coroutine is resumed.
  virtual void on_end(task_promise_base& promise) noexcept = 0;

  void stop(stop_reason why) noexcept { stop_.request_stop(why); }
  executor& loop() const noexcept { return *context_.loop; }

 private:
  std::coroutine_handle<> ended(task_promise_base& promise) noexcept final {
    on_end(promise);
    return --running_ > 0 ? std::noop_coroutine() : awaiting_;
  }

  std::coroutine_handle<> awaiting_;
  execution_context context_;
  stop_source stop_;
  std::size_t running_ = 1;  // the group itself, until it is closed
};

/// The type that a task of T contributes to a tuple or a variant.
template <typename T>
struct group_value {
  using type = T;
  static T take(task<T>& ended) { return ended.promise().take(); }
};
template <>
struct group_value<void> {
  using type = std::monostate;
  static std::monostate take(task<void>& ended) {
    ended.promise().take();
    return {};
  }
};
template <typename T>
using group_value_t = typename group_value<T>::type;

}  // namespace berth
