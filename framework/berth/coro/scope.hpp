// Owns tasks that run beside the one that started them. Always join it before it is destroyed: no
// task outlives it, so tasks may refer to objects that existed before the scope. The first task
// that throws cancels its siblings, and join rethrows its exception. A stop of the context that the
// scope was made with stops its tasks too.
//
//   const auto here = co_await berth::current_context();
//   berth::scope tasks(here);
//   tasks.spawn(tick());
//   co_await tasks.join();
//
// Prefer with_scope (with_scope.hpp), which joins on every way out, exceptions included.
#pragma once

#include <cstddef>
#include <exception>
#include <utility>

#include <berth/coro/task.hpp>

namespace berth {

class scope final : private task_observer {
 public:
  explicit scope(const execution_context& context) noexcept;
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
  ~scope();  ///< ends the program if tasks are still running

  /// Runs `started` until it first waits, before spawn returns. Throws berth::error if it was moved
  /// from or awaited before.
  void spawn(task<void> started);

  /// Runs `function(arguments...)`, which returns a task, and keeps function and arguments alive
  /// until the task has ended: the safe way to run a lambda with captures.
  template <typename Function, typename... Args>
    requires std::is_invocable_v<Function&, Args&...>
  void spawn(Function function, Args... arguments) {
    spawn(keep(std::move(function), std::move(arguments)...));
  }

  /// Keeps `thrown` for the join, unless something was thrown before, and cancels the tasks.
  void fail(std::exception_ptr thrown) noexcept;

  /// The loop and the stop token of its tasks.
  const execution_context& context() const noexcept { return context_; }

  /// Asks every task to stop, those spawned later included.
  void cancel(stop_reason why = stop_reason::requested) noexcept { stop_.request_stop(why); }

  std::size_t running() const noexcept { return running_; }

  class [[nodiscard]] join_awaiter {
   public:
    explicit join_awaiter(scope& joined) noexcept : joined_(joined) {}
    bool await_ready() const {
      if (joined_.joining_) throw_second_join();
      return joined_.running_ == 0;
    }
    void await_suspend(std::coroutine_handle<> awaiting) const noexcept {
      joined_.joining_ = awaiting;
    }
    void await_resume() const {
      if (joined_.first_thrown_)
        std::rethrow_exception(std::exchange(joined_.first_thrown_, nullptr));
    }

   private:
    [[noreturn]] static void throw_second_join();
    scope& joined_;
  };
  /// Waits until every task has ended. It is not cancelled itself: a stop makes the tasks end. One
  /// task may join at a time; a second one gets a berth::error.
  join_awaiter join() noexcept { return join_awaiter(*this); }

 private:
  template <typename Function, typename... Args>
  static task<void> keep(Function function, Args... arguments) {
    co_await function(arguments...);
  }
  std::coroutine_handle<> ended(task_promise_base& promise) noexcept override;

  stop_source stop_;
  execution_context context_;
  std::coroutine_handle<> joining_;
  std::exception_ptr first_thrown_;
  std::size_t running_ = 0;
};

}  // namespace berth
