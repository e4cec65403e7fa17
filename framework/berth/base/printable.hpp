// Escapes text from outside (files, registries, the environment, arguments) before it is shown.
// Terminals obey control characters, and a newline forges a log line, so all output for people is
// escaped at the point where it is written. No I/O; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace berth {

/// The character at the front of a UTF-8 text.
struct utf8_character {
  std::size_t length = 1;  ///< in bytes; 1 if the text does not begin with a valid character
  char32_t code = 0;       ///< its code point
  bool is_valid = false;   ///< by RFC 3629: neither a surrogate nor overlong
};
/// `text` must not be empty.
utf8_character first_character(std::string_view text) noexcept;

/// Whether a terminal or a reader may misread the character: C0 and C1 controls, DEL, line and
/// paragraph separators, and characters that change the direction of writing.
bool is_unprintable(char32_t code) noexcept;

/// Whether the text is valid UTF-8 without control characters (C0, C1, DEL).
bool is_plain_text(std::string_view text) noexcept;

/// The text on one line: "\n", "\x1b", "\u202e" and, for a byte that is not UTF-8, "\xe9" stand for
/// what cannot be printed. Everything else, backslashes included, stays as it is.
std::string printable(std::string_view text);
/// The same, but keeps newlines: for text that consists of lines, such as a log.
std::string printable_lines(std::string_view text);

}  // namespace berth
