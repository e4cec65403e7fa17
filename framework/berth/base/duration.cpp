#include <berth/base/duration.hpp>

#include <charconv>

namespace berth {
namespace {

constexpr double max_seconds = 31536000;

/// 0 if there is no such unit.
double seconds_per(std::string_view unit) noexcept {
  if (unit.empty() || unit == "s") return 1;
  if (unit == "ms") return 0.001;
  if (unit == "m") return 60;
  if (unit == "h") return 3600;
  return 0;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) noexcept {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc()) return std::nullopt;
  const double unit = seconds_per({rest, static_cast<std::size_t>(end - rest)});
  const double seconds = number * unit;
  // NaN compares false with everything.
  if (unit == 0 || !(seconds >= 0 && seconds <= max_seconds)) return std::nullopt;
  return std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

}  // namespace berth
