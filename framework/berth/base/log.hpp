// Log lines on standard error: "NAME: LEVEL: MESSAGE". One process, one level; any thread may
// log, and a line is written whole. Messages are formatted only if their level is enabled.
// Control characters, newlines included, are escaped here: see printable.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace berth::log {

enum class level { off, error, warning, info, debug };

/// The level of that name ("off", "error", "warning", "info", "debug"), if there is one.
std::optional<level> parse_level(std::string_view name) noexcept;

void set_level(level highest) noexcept;
bool enabled(level at) noexcept;
/// Sets the name that log lines begin with: the program's name as users know it.
void set_name(std::string_view name);

/// Whether log lines begin with the time, in UTC: "2026-11-26T21:06:54.123Z NAME: LEVEL: MESSAGE".
void set_timestamps(bool on) noexcept;

/// Writes one line without time, name and level.
void write_line(std::string_view line) noexcept;
void write(level at, std::string_view message) noexcept;

/// One value of a message, until it is formatted. Refers to texts.
class argument {
 public:
  argument(std::string_view text) noexcept : kind_(kind::text), text_(text) {}
  argument(const std::string& text) noexcept : argument(std::string_view(text)) {}
  argument(const char* text) noexcept : argument(std::string_view(text)) {}
  template <typename T>
    requires std::is_integral_v<T> && std::is_signed_v<T>
  argument(T number) noexcept : kind_(kind::whole), whole_(number) {}
  template <typename T>
    requires std::is_integral_v<T> && std::is_unsigned_v<T>
  argument(T number) noexcept : kind_(kind::natural), natural_(number) {}
  argument(double number) noexcept : kind_(kind::real), real_(number) {}

  void append_to(std::string& message) const;

 private:
  enum class kind { text, whole, natural, real };
  kind kind_;
  union {
    std::string_view text_;
    std::int64_t whole_;
    std::uint64_t natural_;
    double real_;
  };
};

/// A format with one "{}" per argument, which the compiler checks.
template <typename... Args>
class format_string {
 public:
  template <typename Text>
    requires std::is_convertible_v<const Text&, std::string_view>
  consteval format_string(const Text& text) : text_(text) {
    std::size_t places = 0;
    for (std::size_t i = 0; i + 1 < text_.size(); ++i)
      if (text_[i] == '{' && text_[i + 1] == '}') ++places;
    if (places != sizeof...(Args))
      throw "the number of arguments differs from the number of \"{}\"";
  }
  std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};
template <typename... Args>
using format_for = format_string<std::type_identity_t<Args>...>;

/// Writes the message if the level is enabled. Does not throw.
void write_formatted(level at, std::string_view format,
                     std::initializer_list<argument> arguments) noexcept;

template <typename... Args>
void error(format_for<Args...> format, const Args&... args) {
  write_formatted(level::error, format.text(), {argument(args)...});
}
template <typename... Args>
void warning(format_for<Args...> format, const Args&... args) {
  write_formatted(level::warning, format.text(), {argument(args)...});
}
template <typename... Args>
void info(format_for<Args...> format, const Args&... args) {
  write_formatted(level::info, format.text(), {argument(args)...});
}
template <typename... Args>
void debug(format_for<Args...> format, const Args&... args) {
  write_formatted(level::debug, format.text(), {argument(args)...});
}

}  // namespace berth::log
