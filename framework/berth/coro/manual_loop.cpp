#include <berth/coro/manual_loop.hpp>

namespace berth {

void manual_loop::advance(std::chrono::nanoseconds by) noexcept {
  const steady_time end = now_ + by;
  run_ready();
  for (;;) {
    const auto due = timers_.next_due();
    if (!due || *due > end) break;
    if (*due > now_) now_ = *due;
    timers_.take_due(now_)->expired();
    run_ready();
  }
  now_ = end;
}

}  // namespace berth
