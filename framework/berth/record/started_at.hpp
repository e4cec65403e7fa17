// The moment that a port file's `started_at` names. No I/O; thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace berth {

/// The current time as a port file has it: "2026-01-31T08:15:30Z".
std::string rfc3339_now();

/// Parses an RFC 3339 date and time, rounded down to seconds. Returns nullopt for anything else:
/// other programs write port files too, and some write a local time or another format.
std::optional<std::chrono::sys_seconds> parse_rfc3339(std::string_view text) noexcept;

/// How much later than `started_at` the process of its server may seem to have started: that has
/// whole seconds, and the wall clock may have been adjusted slightly since.
inline constexpr std::chrono::seconds started_at_tolerance(2);

}  // namespace berth
