// The moment until which a wait may last: a value that is handed down unchanged through all calls
// that belong to one operation, so that their times do not add up. Saturating: no duration is
// too long.
#pragma once

#include <chrono>

#include <berth/coro/executor.hpp>

namespace berth {

class deadline {
 public:
  deadline() noexcept = default;  ///< never

  static deadline never() noexcept { return {}; }
  static deadline at(steady_time moment) noexcept { return deadline(moment); }
  static deadline after(std::chrono::nanoseconds duration) noexcept {
    return after(std::chrono::steady_clock::now(), duration);
  }
  /// `duration` after `start`; a negative duration has passed already.
  static deadline after(steady_time start, std::chrono::nanoseconds duration) noexcept {
    if (duration >= steady_time::max() - start) return never();
    return deadline(start + duration);
  }

  bool is_never() const noexcept { return moment_ == steady_time::max(); }
  bool passed(steady_time now) const noexcept { return moment_ <= now; }
  steady_time moment() const noexcept { return moment_; }

  friend auto operator<=>(const deadline&, const deadline&) noexcept = default;

 private:
  explicit deadline(steady_time moment) noexcept : moment_(moment) {}
  steady_time moment_ = steady_time::max();
};

}  // namespace berth
