// Parses durations on the command line: "5s", "500ms", "2m", "1h", or plain seconds, "0.5".
#pragma once

#include <chrono>
#include <string_view>

namespace berth::cli {

/// Throws invalid_value, whose message says what is accepted, unless `text` is a duration between 0
/// and a year.
std::chrono::nanoseconds parse_duration(std::string_view text);

}  // namespace berth::cli
