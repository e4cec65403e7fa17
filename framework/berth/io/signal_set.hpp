// Signals as something to wait for. While a set exists its signals do not end the process; each
// arrival is given once, in order, to whoever calls next. On the loop's thread.
#pragma once

#include <initializer_list>

#include <berth/coro/waiter.hpp>
#include <berth/io/event_loop.hpp>

namespace berth {

class signal_set {
 public:
  /// Throws berth::error where a signal cannot be caught.
  signal_set(event_loop& loop, std::initializer_list<int> signals);
  signal_set(const signal_set&) = delete;
  signal_set& operator=(const signal_set&) = delete;
  ~signal_set();

  class awaiter;
  /// The number of the next signal. One task may wait at a time.
  inline awaiter next(deadline until = deadline::never()) noexcept;

 private:
  struct core;
  core* core_;
};

class [[nodiscard]] signal_set::awaiter final : public waiter {
 public:
  awaiter(core* from, deadline until) noexcept : core_(from), until_(until) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    return start(awaiting, awaiting.promise().context());
  }
  result<int> await_resume();

 private:
  bool start(std::coroutine_handle<> awaiting, const execution_context& context) noexcept;
  bool abandon() noexcept override;

  core* core_;
  deadline until_;
};

signal_set::awaiter signal_set::next(deadline until) noexcept { return awaiter(core_, until); }

}  // namespace berth
