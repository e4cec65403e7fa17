// How a run ends: the first reason to stop, and the first failure of a part that the service cannot
// do without. On the loop's thread. Private to service/.
#pragma once

#include <exception>
#include <functional>

#include <berth/base/stop_reason.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/task.hpp>

namespace berth {

class run_end {
 public:
  /// `draining` is set when the run begins to end, and then `begun` is called, once.
  run_end(event& draining, std::function<void(stop_reason)> begun)
      : draining_(draining), begun_(std::move(begun)) {
    draining_.reset();
  }

  /// The first call counts.
  void begin(stop_reason why);
  /// The same, with an exception that the run ends with.
  void fail(std::exception_ptr why);
  /// Runs a part that the service cannot do without: an exception from it ends the run.
  task<> essential(task<> part);
  void rethrow_failure() const;

  bool has_begun() const noexcept { return draining_.is_set(); }
  event& draining() noexcept { return draining_; }
  stop_reason reason() const noexcept { return reason_; }

 private:
  event& draining_;
  const std::function<void(stop_reason)> begun_;
  stop_reason reason_ = stop_reason::none;
  std::exception_ptr failure_;
};

}  // namespace berth
