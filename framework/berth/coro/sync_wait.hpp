// Runs a task to its end in ordinary code, and sleeps until its next timer while it waits for time.
// Only for tasks that wait for time and for each other; for I/O there is event_loop::run.
#pragma once

#include <stdexcept>
#include <thread>

#include <berth/coro/manual_loop.hpp>
#include <berth/coro/root_task.hpp>

namespace berth {

/// Throws what the task throws, and std::logic_error if it waits for something that cannot come.
template <typename T>
T sync_wait(task<T> outermost) {
  manual_loop loop;
  root_task<T> root(std::move(outermost));
  execution_context context;
  context.loop = &loop;
  root.start(context);
  while (!root.ended()) {
    if (!loop.run_batch()) {
      const auto due = loop.next_due();
      if (!due)
        throw std::logic_error(
            "berth::sync_wait: the task waits, but no timer is armed that could resume it");
      std::this_thread::sleep_until(*due);
    }
    loop.expire(std::chrono::steady_clock::now());
  }
  return root.take();
}

}  // namespace berth
