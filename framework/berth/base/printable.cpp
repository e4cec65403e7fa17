#include <berth/base/printable.hpp>

#include <cstdint>

namespace berth {
namespace {

bool is_control(char32_t code) noexcept { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

void append_hexadecimal(std::string& to, char32_t number, int digits) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4)
    to += "0123456789abcdef"[(number >> shift) & 0xF];
}

void append_escaped(std::string& to, const utf8_character& one, char byte) {
  if (byte == '\n') {
    to += "\\n";
  } else if (byte == '\r') {
    to += "\\r";
  } else if (byte == '\t') {
    to += "\\t";
  } else if (!one.is_valid || one.code < 0x80) {
    to += "\\x";
    append_hexadecimal(to, static_cast<unsigned char>(byte), 2);
  } else {
    to += "\\u";
    append_hexadecimal(to, one.code, 4);
  }
}

void append_printable(std::string& to, std::string_view text) {
  while (!text.empty()) {
    const auto one = first_character(text);
    if (one.is_valid && !is_unprintable(one.code))
      to += text.substr(0, one.length);
    else
      append_escaped(to, one, text.front());
    text.remove_prefix(one.length);
  }
}

/// The length of the character and the code bits in its first byte.
utf8_character begin_of(unsigned char first) noexcept {
  if (first < 0x80) return {1, first, true};
  if (first >= 0xC2 && first < 0xE0) return {2, char32_t(first & 0x1F), true};
  if (first >= 0xE0 && first < 0xF0) return {3, char32_t(first & 0x0F), true};
  if (first >= 0xF0 && first < 0xF5) return {4, char32_t(first & 0x07), true};
  return {};
}

}  // namespace

utf8_character first_character(std::string_view text) noexcept {
  utf8_character one = begin_of(static_cast<unsigned char>(text.front()));
  if (one.length > text.size()) return {};
  for (std::size_t i = 1; i < one.length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return {};
    one.code = (one.code << 6) | (byte & 0x3F);
  }
  const bool is_overlong = (one.length == 3 && one.code < 0x800) ||
                           (one.length == 4 && (one.code < 0x10000 || one.code > 0x10FFFF));
  const bool is_surrogate = one.code >= 0xD800 && one.code < 0xE000;
  return is_overlong || is_surrogate ? utf8_character{} : one;
}

bool is_unprintable(char32_t code) noexcept {
  return is_control(code) || code == 0x2028 || code == 0x2029 ||  // separators
         code == 0x061C || code == 0x200E || code == 0x200F ||    // marks of direction
         (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

bool is_plain_text(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto one = first_character(text);
    if (!one.is_valid || is_control(one.code)) return false;
    text.remove_prefix(one.length);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  append_printable(shown, text);
  return shown;
}

std::string printable_lines(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  for (;;) {
    const auto end = text.find('\n');
    append_printable(shown, text.substr(0, end));
    if (end == std::string_view::npos) return shown;
    shown += '\n';
    text.remove_prefix(end + 1);
  }
}

}  // namespace berth
