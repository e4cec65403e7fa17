// Durations as users write them: "5s", "500ms", "2m", "1h", or plain seconds, "0.5". Thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace berth {

/// nullopt unless `text` is a duration between 0 and a year.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) noexcept;

}  // namespace berth
