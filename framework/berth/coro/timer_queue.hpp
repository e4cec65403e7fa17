// The timers of one loop in the order of their due times, and of arming if these are equal. A
// binary heap in which each timer knows its position, so that disarming does not search.
#pragma once

#include <optional>
#include <vector>

#include <berth/coro/executor.hpp>

namespace berth {

class timer_queue {
 public:
  void arm(timer_item& timer, steady_time due);
  void disarm(timer_item& timer) noexcept;
  std::optional<steady_time> next_due() const noexcept;
  /// Takes one timer that is due at `now` out of the queue; null if there is none.
  timer_item* take_due(steady_time now) noexcept;

 private:
  static bool before(const timer_item& left, const timer_item& right) noexcept;
  void place(std::size_t position, timer_item& timer) noexcept;
  void sift_up(std::size_t position) noexcept;
  void sift_down(std::size_t position) noexcept;
  void take(std::size_t position) noexcept;

  std::vector<timer_item*> heap_;
  std::uint64_t armed_so_far_ = 0;
};

}  // namespace berth
