// Lets other tasks, timers and stops run before this one goes on: for a task that computes for
// long without waiting for anything. Waits that end at once (a free mutex, a full channel, a socket
// that takes everything) do this by themselves now and then; see executor::take_turns.
//
//   for (const auto& each : millions) {
//     consider(each);
//     const auto going_on = co_await berth::yield();
//     if (!going_on) co_return;  // a stop was requested
//   }
#pragma once

#include <berth/coro/waiter.hpp>

namespace berth {

class [[nodiscard]] yield_awaiter : private waiter {
 public:
  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    let_others_run(awaiting, awaiting.promise().context());
    return true;
  }
  result<void> await_resume() const noexcept {
    const stop_reason why = context().stop.reason();
    if (why != stop_reason::none) return failure::cancelled(why);
    return {};
  }
};

/// Success after the others have had their turn; a failure `cancelled` if a stop was requested.
inline yield_awaiter yield() noexcept { return {}; }

}  // namespace berth
