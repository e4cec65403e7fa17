// Leaves the signal handlers of the program as they were. One file per platform; thread-safe.
#pragma once

#include <berth/base/signals_blocked.hpp>
#include <berth/base/start_thread.hpp>

namespace berth::c {

/// libuv handles SIGCHLD while it has children to wait for, and then leaves the system's default in
/// place. The last guard that is destroyed restores the program's handler.
class child_signal_guard {
 public:
  child_signal_guard();
  child_signal_guard(const child_signal_guard&) = delete;
  child_signal_guard& operator=(const child_signal_guard&) = delete;
  ~child_signal_guard();
};

/// Starts a thread that handles none of the program's signals.
template <typename Call>
std::thread quiet_thread(Call call) {
  const signals_blocked here;
  return start_thread(std::move(call));
}

}  // namespace berth::c
