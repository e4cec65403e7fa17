// Where one task at a time waits for something that libuv tells: a signal, a connection, a child's
// end. What is there already is given at once; a wait that is cancelled leaves the point as it was,
// so nothing is lost by it. On the loop's thread.
#pragma once

#include <optional>
#include <utility>

#include <berth/coro/waiter.hpp>

namespace berth {

class point_waiter;

class wait_point {
 public:
  /// Whether there is something to take now.
  virtual bool ready() const noexcept = 0;

 protected:
  ~wait_point() = default;

  /// There is something: resumes who waits. May destroy this.
  inline void wake() noexcept;
  /// There will be nothing more: who waits gets `cancelled`.
  inline void end_waiting() noexcept;

 private:
  friend class point_waiter;
  point_waiter* waiting_ = nullptr;
};

/// The common part of the awaiters of such points; they add what the wait gives.
class point_waiter : public waiter {
 public:
  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    const execution_context& context = awaiting.promise().context();
    if (!point_ || point_->waiting_) {
      const auto why = point_ ? std::errc::device_or_resource_busy : std::errc::bad_file_descriptor;
      failed_ = std::make_error_code(why);
      return false;
    }
    if (point_->ready() && !context.stop.stop_requested()) return false;
    if (!begin(awaiting, context, until_)) return false;
    point_->waiting_ = this;
    return true;
  }

 protected:
  /// `point` is null where what it belongs to is closed.
  point_waiter(wait_point* point, deadline until) noexcept : point_(point), until_(until) {}
  point_waiter(point_waiter&& other) noexcept
      : waiter(std::move(other)), point_(other.point_), until_(other.until_) {}
  ~point_waiter() = default;

  /// Why there is nothing; nothing where there is something.
  std::optional<failure> why_nothing() const noexcept {
    if (given_up() != stop_reason::none) return failure::cancelled(given_up());
    return failed_;
  }

 private:
  friend class wait_point;
  bool abandon() noexcept override {
    point_->waiting_ = nullptr;
    return true;
  }

  wait_point* point_;
  deadline until_;
  std::optional<failure> failed_;
};

void wait_point::wake() noexcept {
  if (point_waiter* const next = std::exchange(waiting_, nullptr)) next->complete_now();
}

void wait_point::end_waiting() noexcept {
  point_waiter* const last = std::exchange(waiting_, nullptr);
  if (!last) return;
  last->failed_ = failure(std::make_error_code(std::errc::operation_canceled));
  last->complete_later();
}

}  // namespace berth
