// Opens, for good, after a given number of count-downs: for a task that waits for several tasks
// which are not in a scope of its own. One thread; destroy it with no task waiting.
#pragma once

#include <cstddef>

#include <berth/coro/event.hpp>

namespace berth {

class latch {
 public:
  explicit latch(std::size_t count) noexcept : missing_(count) {
    if (missing_ == 0) opened_.set();
  }

  /// Counting down further is a no-op.
  void count_down(std::size_t by = 1) noexcept {
    missing_ -= by < missing_ ? by : missing_;
    if (missing_ == 0) opened_.set();
  }
  bool is_open() const noexcept { return opened_.is_set(); }

  /// Waits until it is open; a failure `cancelled` or `timed_out` if that comes first.
  event::awaiter wait(deadline until = deadline::never()) noexcept { return opened_.wait(until); }

 private:
  std::size_t missing_;
  event opened_;
};

}  // namespace berth
