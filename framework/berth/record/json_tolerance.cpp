#include <berth/record/json_tolerance.hpp>

#include <charconv>
#include <cstdint>

namespace berth {
namespace {

bool is_json_digit(char c) { return c >= '0' && c <= '9'; }

/// Where the number that begins at `begin` ends, by the grammar of RFC 8259; `begin` if there is
/// none.
std::size_t end_of_number(std::string_view text, std::size_t begin) {
  std::size_t at = begin;
  const auto take_digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && is_json_digit(text[at])) ++at;
    return at > first;
  };
  const auto take = [&](std::string_view any_of) {
    const bool found = at < text.size() && any_of.find(text[at]) != std::string_view::npos;
    at += found;
    return found;
  };
  take("-");
  if (!take("0") && !take_digits()) return begin;
  if (take(".") && !take_digits()) return begin;
  if (take("eE")) {
    take("+-");
    if (!take_digits()) return begin;
  }
  return at;
}

bool fits(std::string_view number) {
  const char* const end = number.data() + number.size();
  std::uint64_t natural = 0;
  std::int64_t whole = 0;
  double real = 0;
  const auto is_read = [end](std::from_chars_result read) {
    return read.ec == std::errc() && read.ptr == end;
  };
  if (number.find_first_of(".eE") != std::string_view::npos)
    return is_read(std::from_chars(number.data(), end, real));
  return is_read(std::from_chars(number.data(), end, natural)) ||
         is_read(std::from_chars(number.data(), end, whole));
}

/// The 16-bit unit that "\uXXXX" at `at` stands for; 0 if there is none.
unsigned unit_at(std::string_view text, std::size_t at) {
  unsigned unit = 0;
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return 0;
  const char* const digits = text.data() + at + 2;
  const auto read = std::from_chars(digits, digits + 4, unit, 16);
  return read.ptr == digits + 4 ? unit : 0;
}

bool is_high(unsigned unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low(unsigned unit) { return unit >= 0xdc00 && unit < 0xe000; }

/// Skips the string that begins at `at`, replacing invalid escapes; returns its end.
std::size_t mend_string(std::string& text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"';) {
    if (text[at] != '\\') {
      ++at;
      continue;
    }
    const unsigned unit = unit_at(text, at);
    if (is_high(unit) && is_low(unit_at(text, at + 6))) {
      at += 12;
      continue;
    }
    if (is_high(unit) || is_low(unit)) text.replace(at + 2, 4, "fffd");
    at += 2;
  }
  return at + 1;
}

}  // namespace

std::string with_tolerable_values(std::string_view text) {
  std::string mended(text);
  for (std::size_t at = 0; at < mended.size();) {
    if (mended[at] == '"') {
      at = mend_string(mended, at);
      continue;
    }
    const std::size_t end = end_of_number(mended, at);
    const std::string_view number = std::string_view(mended).substr(at, end - at);
    if (end == at) {
      ++at;
      continue;
    }
    // A number that is too large is never shorter than "null".
    if (number.size() > 4 && !fits(number)) {
      const std::string null = "null" + std::string(number.size() - 4, ' ');
      mended.replace(at, null.size(), null);
    }
    at = end;
  }
  return mended;
}

}  // namespace berth
