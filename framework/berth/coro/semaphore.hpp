// So many at once and no more: tasks take one of a number of permits and wait, first come first
// served, while there is none. A permit that is given back goes straight to who waits longest. A
// wait that is cancelled takes none. One thread; destroy it with nobody waiting.
#pragma once

#include <cstddef>

#include <berth/base/intrusive_list.hpp>
#include <berth/coro/waiter.hpp>

namespace berth {

class semaphore {
 public:
  explicit semaphore(std::size_t permits) noexcept : free_(permits) {}

  class [[nodiscard]] awaiter;

  /// Until a permit is taken; a failure `cancelled` or `timed_out` where that came first.
  inline awaiter acquire(deadline until = deadline::never()) noexcept;
  /// False where there is none free now.
  bool try_acquire() noexcept {
    if (free_ == 0) return false;
    --free_;
    return true;
  }
  void release(std::size_t permits = 1) noexcept {
    for (; permits > 0; --permits) {
      if (waiter* const next = waiting_.pop_front())
        next->complete_later();
      else
        ++free_;
    }
  }
  std::size_t free() const noexcept { return free_; }

 private:
  std::size_t free_;  // 0 while anybody waits
  intrusive_list<waiter> waiting_;
};

class semaphore::awaiter : private waiter {
 public:
  awaiter(semaphore& from, deadline until) noexcept : from_(from), until_(until) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    const execution_context& context = awaiting.promise().context();
    if (!context.stop.stop_requested() && from_.try_acquire()) return false;
    if (!begin(awaiting, context, until_)) return false;
    from_.waiting_.push_back(*this);
    return true;
  }
  result<void> await_resume() const noexcept {
    if (given_up() != stop_reason::none) return failure::cancelled(given_up());
    return {};
  }

 private:
  semaphore& from_;
  deadline until_;
};

semaphore::awaiter semaphore::acquire(deadline until) noexcept { return awaiter(*this, until); }

}  // namespace berth
