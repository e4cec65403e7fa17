// Lets a task wait for signals. While a set exists, its signals do not end the process; each
// arrival is reported once, in order. On the loop's thread.
#pragma once

#include <initializer_list>

#include <berth/io/event_loop.hpp>
#include <berth/io/wait_point.hpp>

namespace berth {

class signal_set {
 public:
  /// Throws berth::error if a signal cannot be caught.
  signal_set(event_loop& loop, std::initializer_list<int> signals);
  signal_set(const signal_set&) = delete;
  signal_set& operator=(const signal_set&) = delete;
  ~signal_set();

  class awaiter;
  /// The number of the next signal. One task may wait at a time.
  awaiter next(deadline until = deadline::never()) noexcept;

 private:
  struct core;
  core* core_;
};

class [[nodiscard]] signal_set::awaiter final : public point_waiter {
 public:
  awaiter(core* of, deadline until) noexcept;
  result<int> await_resume();

 private:
  core* core_;
};

}  // namespace berth
