// Log lines on standard error: "NAME: LEVEL: MESSAGE". One process, one level; any thread may
// log, and a line is written whole. Messages are formatted by fmt only where the level is on.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace berth::log {

enum class level { off, error, warning, info, debug };

/// The level of that name ("off", "error", "warning", "info", "debug"), if there is one.
std::optional<level> parse_level(std::string_view name) noexcept;

void set_level(level highest) noexcept;
bool enabled(level at) noexcept;
/// What log lines begin with; the program's name as users know it.
void set_name(std::string_view name);

/// Writes one line as it stands.
void write_line(std::string_view line) noexcept;
void write(level at, std::string_view message) noexcept;

template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level::error)) write(level::error, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level::warning))
    write(level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level::info)) write(level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level::debug)) write(level::debug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace berth::log
