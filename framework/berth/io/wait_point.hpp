// Lets one task at a time wait for something that libuv reports: a signal, a connection, a child's
// end. If it is there already, the wait ends at once. A cancelled wait leaves the point as it was,
// so nothing is lost. On the loop's thread.
#pragma once

#include <optional>
#include <utility>

#include <berth/coro/waiter.hpp>
#include <berth/io/misuse.hpp>

namespace berth {

class point_waiter;

class wait_point {
 public:
  /// Whether there is something to take now.
  virtual bool ready() const noexcept = 0;

 protected:
  ~wait_point() = default;

  /// There is something: resumes the task that waits. May destroy this.
  inline void wake() noexcept;
  /// The same when the loop gets to it, from a callback that allows no calls into libuv.
  inline void wake_later() noexcept;
  /// There will be nothing more: the task that waits gets `cancelled`.
  inline void end_waiting() noexcept;

 private:
  friend class point_waiter;
  point_waiter* waiting_ = nullptr;
};

/// The common part of the awaiters of such points; they add the result of the wait.
class point_waiter : public waiter {
 public:
  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    const execution_context& context = awaiting.promise().context();
    if (!point_) return ends_at_once(awaiting, context);
    if (point_->waiting_) {
      failed_ = std::make_error_code(std::errc::device_or_resource_busy);
      return ends_at_once(awaiting, context);
    }
    if (point_->ready() && !context.stop.stop_requested()) {
      woken_ = ends_at_once(awaiting, context);
      if (woken_) point_->waiting_ = this;
      return woken_;
    }
    if (!begin(awaiting, context, until_)) return ends_at_once(awaiting, context);
    point_->waiting_ = this;
    return true;
  }

 protected:
  /// `point` is null if its owner is closed.
  point_waiter(wait_point* point, deadline until) noexcept : point_(point), until_(until) {}
  point_waiter(point_waiter&& other) noexcept
      : waiter(std::move(other)), point_(other.point_), until_(other.until_) {}
  ~point_waiter() = default;

  /// Why there is nothing; nullopt if there is something. Throws berth::error if the object that
  /// the task waited on had been closed, or moved from, before. Call it once, when the wait is
  /// over.
  std::optional<failure> why_nothing() {
    if (woken_ && point_) point_->waiting_ = nullptr;
    if (given_up() != stop_reason::none) return failure::cancelled(given_up());
    if (!failed_ && !point_) throw_closed("wait");
    return failed_;
  }

 private:
  friend class wait_point;
  bool abandon() noexcept override {
    std::exchange(point_, nullptr)->waiting_ = nullptr;
    return true;
  }
  // Nothing is taken before it resumes, so there is nothing to give back.
  bool give_back() noexcept override { return woken_ && point_ && abandon(); }

  wait_point* point_;
  deadline until_;
  std::optional<failure> failed_;
  bool woken_ = false;  // there is something, and the loop will resume it
};

void wait_point::wake() noexcept {
  if (!waiting_ || waiting_->woken_) return;
  std::exchange(waiting_, nullptr)->complete_now();
}

void wait_point::wake_later() noexcept {
  if (!waiting_ || waiting_->woken_) return;
  waiting_->woken_ = true;
  waiting_->hand_over();
}

void wait_point::end_waiting() noexcept {
  point_waiter* const last = std::exchange(waiting_, nullptr);
  if (!last) return;
  last->point_ = nullptr;
  last->failed_ = failure(std::make_error_code(std::errc::operation_canceled));
  if (!last->woken_) last->complete_later();
}

}  // namespace berth
