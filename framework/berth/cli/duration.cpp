#include <berth/cli/duration.hpp>

#include <charconv>
#include <optional>

#include <fmt/format.h>

#include <berth/base/error.hpp>

namespace berth::cli {
namespace {

constexpr double max_seconds = 31536000;

std::optional<double> seconds_per(std::string_view unit) {
  if (unit.empty() || unit == "s") return 1;
  if (unit == "ms") return 0.001;
  if (unit == "m") return 60;
  if (unit == "h") return 3600;
  return std::nullopt;
}

}  // namespace

std::chrono::nanoseconds parse_duration(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  const auto unit = seconds_per({rest, static_cast<std::size_t>(end - rest)});
  const double seconds = number * unit.value_or(0);
  // NaN compares false with everything.
  if (failed == std::errc() && unit && seconds >= 0 && seconds <= max_seconds)
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(seconds));
  throw invalid_value(fmt::format(
      "\"{}\" is not a duration: use a number of seconds, or a number with a unit, as in "
      "500ms, 5s, 2m or 1h, at most a year",
      text));
}

}  // namespace berth::cli
