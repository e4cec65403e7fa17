// The moment until which a wait may last: a value that is handed down unchanged through all calls
// that belong to one operation, so that their times do not add up. Saturating: a duration of any
// length and unit is valid, and a moment beyond the end of the clock means never.
#pragma once

#include <chrono>
#include <ratio>

#include <berth/coro/executor.hpp>

namespace berth {

/// `duration` in nanoseconds, clamped to the longest or shortest duration if it does not fit.
template <typename Rep, typename Period>
constexpr std::chrono::nanoseconds saturated(std::chrono::duration<Rep, Period> duration) noexcept {
  using std::chrono::nanoseconds;
  using long_seconds = std::chrono::duration<long double>;
  const auto seconds = long_seconds(duration);
  if (!(seconds < long_seconds(nanoseconds::max()))) return nanoseconds::max();
  if (seconds <= long_seconds(nanoseconds::min())) return nanoseconds::min();
  return std::chrono::duration_cast<nanoseconds>(duration);
}
constexpr std::chrono::nanoseconds saturated(std::chrono::nanoseconds duration) noexcept {
  return duration;
}

class deadline {
 public:
  deadline() noexcept = default;  ///< never

  static deadline never() noexcept { return {}; }
  static deadline at(steady_time moment) noexcept { return deadline(moment); }
  template <typename Rep, typename Period>
  static deadline after(std::chrono::duration<Rep, Period> duration) noexcept {
    return after(std::chrono::steady_clock::now(), duration);
  }
  /// `duration` after `start`; a negative duration has passed already.
  template <typename Rep, typename Period>
  static deadline after(steady_time start, std::chrono::duration<Rep, Period> duration) noexcept {
    const std::chrono::nanoseconds length = saturated(duration);
    const std::chrono::nanoseconds begin = start.time_since_epoch();
    if (length > begin.zero() && begin > steady_time::duration::max() - length) return never();
    if (length < begin.zero() && begin < steady_time::duration::min() - length)
      return deadline(steady_time::min());
    return deadline(start + length);
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
