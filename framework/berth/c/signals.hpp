// Leaves the signal handlers of the program as they were. One file a
// platform; any thread.
#pragma once

#include <berth/base/start_thread.hpp>

namespace berth::c {

/// libuv takes SIGCHLD while it has children to wait for, and leaves the system's default in its
/// place. A guard puts back what the program had, when the last of them ends.
class child_signal_guard {
 public:
  child_signal_guard();
  child_signal_guard(const child_signal_guard&) = delete;
  child_signal_guard& operator=(const child_signal_guard&) = delete;
  ~child_signal_guard();
};

namespace detail {

struct signals_blocked {
  signals_blocked();
  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;
  ~signals_blocked();
};

}  // namespace detail

/// A thread that handles none of the program's signals.
template <typename Call>
std::thread quiet_thread(Call call) {
  const detail::signals_blocked here;
  return start_thread(std::move(call));
}

}  // namespace berth::c
