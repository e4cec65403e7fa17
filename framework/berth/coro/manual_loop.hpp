// An executor that runs items, and moves its clock, only when the program says so: for tests of
// code that waits for time, and for programs that drive tasks from a loop of their own.
#pragma once

#include <chrono>

#include <berth/coro/timer_queue.hpp>

namespace berth {

class manual_loop final : public executor {
 public:
  steady_time now() const noexcept override { return now_; }
  void post(ready_item& item) noexcept override { ready_.push_back(item); }
  void arm(timer_item& timer, steady_time due) override { timers_.arm(timer, due); }
  void disarm(timer_item& timer) noexcept override { timers_.disarm(timer); }

  /// Runs the items that are queued, and those that they queue, until the queue is empty.
  void run_ready() noexcept {
    while (ready_item* const next = ready_.pop_front()) next->run();
  }
  /// Runs the items that are queued now, not those that they queue. Returns whether there were any.
  bool run_batch() noexcept;
  /// Advances the clock, stopping at each timer on the way.
  void advance(std::chrono::nanoseconds by) noexcept;
  /// Sets the clock to `now`, and queues the tasks that waited for a time until then.
  void expire(steady_time now) noexcept;
  /// When the next timer is due, if one is armed.
  std::optional<steady_time> next_due() const noexcept { return timers_.next_due(); }

 private:
  steady_time now_ = std::chrono::steady_clock::now();
  intrusive_list<ready_item> ready_;
  timer_queue timers_;
};

}  // namespace berth
