// An executor that runs only when told to, with a clock that moves only when told to: for tests
// of what takes time, and for programs that drive tasks from a loop of their own.
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

  /// Runs what is queued, and what that queues, until nothing is.
  void run_ready() noexcept {
    while (ready_item* const next = ready_.pop_front()) next->run();
  }
  /// Runs what is queued now, and nothing of what that queues; whether there was anything.
  bool run_batch() noexcept;
  /// Moves the clock on, stopping at each timer on the way.
  void advance(std::chrono::nanoseconds by) noexcept;
  /// Sets the clock to `now`, and queues what waited for a time until then.
  void expire(steady_time now) noexcept;
  /// When the next timer is due, if one is armed.
  std::optional<steady_time> next_due() const noexcept { return timers_.next_due(); }

 private:
  steady_time now_ = std::chrono::steady_clock::now();
  intrusive_list<ready_item> ready_;
  timer_queue timers_;
};

}  // namespace berth
