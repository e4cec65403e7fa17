#include <berth/coro/manual_loop.hpp>

#include <berth/coro/deadline.hpp>

namespace berth {

bool manual_loop::run_batch() noexcept {
  intrusive_list<ready_item> batch;
  batch.splice_back(ready_);
  if (batch.empty()) return false;
  while (ready_item* const next = batch.pop_front()) next->run();
  return true;
}

void manual_loop::expire(steady_time now) noexcept {
  now_ = now;
  while (timer_item* const due = timers_.take_due(now_)) due->expired();
}

void manual_loop::advance(std::chrono::nanoseconds by) noexcept {
  const steady_time end = deadline::after(now_, by).moment();
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
