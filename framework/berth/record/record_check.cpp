#include <berth/record/record_check.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/printable.hpp>

namespace berth {
namespace {

// The functions of <cctype> depend on the locale.
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alphanumeric(char c) noexcept { return is_digit(c) || is_letter(c); }
bool is_hexadecimal(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
template <typename Predicate>
bool all_of(std::string_view text, Predicate is_one) noexcept {
  return std::all_of(text.begin(), text.end(), is_one);
}

/// Takes the part before the next `separator` from the front, or all of it.
std::string_view take_part(std::string_view& rest, char separator) noexcept {
  const auto end = rest.find(separator);
  const auto part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

bool is_octet(std::string_view text) noexcept {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return false;
  int value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    value = value * 10 + (c - '0');
  }
  return value < 256;
}

bool is_ipv4(std::string_view text) noexcept {
  if (std::count(text.begin(), text.end(), '.') != 3) return false;
  for (int i = 0; i < 4; ++i)
    if (!is_octet(take_part(text, '.'))) return false;
  return true;
}

/// Counts the 16-bit groups in "h:h:…"; -1 if it is malformed. Only at the end of an address may
/// the last part be an IPv4 address, which counts as two groups.
int groups_of(std::string_view text, bool is_end) noexcept {
  if (text.empty()) return 0;
  int groups = 0;
  for (;;) {
    const bool is_last = text.find(':') == std::string_view::npos;
    const auto part = take_part(text, ':');
    if (is_last && is_end && is_ipv4(part)) return groups + 2;
    if (part.empty() || part.size() > 4 || !all_of(part, is_hexadecimal)) return -1;
    ++groups;
    if (is_last) return groups;
  }
}

bool is_ipv6(std::string_view text) noexcept {
  const auto gap = text.find("::");
  if (gap == std::string_view::npos) return groups_of(text, true) == 8;
  const int before = groups_of(text.substr(0, gap), false);
  const int after = groups_of(text.substr(gap + 2), true);
  return before >= 0 && after >= 0 && before + after < 8;
}

bool is_zone(std::string_view text) noexcept {
  constexpr std::string_view others = "-._~:@+";
  return !text.empty() && text.size() <= 64 && all_of(text, [&](char c) {
    return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
  });
}

bool is_label(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         all_of(text, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

/// Whether resolvers would read the label as a part of an IPv4 address.
bool is_number(std::string_view label) noexcept {
  if (label.starts_with("0x") || label.starts_with("0X"))
    return all_of(label.substr(2), is_hexadecimal);
  return all_of(label, is_digit);
}

bool is_dns_name(std::string_view text) noexcept {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253 || text.ends_with('.')) return false;
  std::string_view label;
  while (!text.empty()) {
    label = take_part(text, '.');
    if (!is_label(label)) return false;
  }
  return !is_number(label);
}

}  // namespace

bool is_host(std::string_view text) noexcept {
  if (text.find(':') == std::string_view::npos) return is_ipv4(text) || is_dns_name(text);
  const auto zone = text.find('%');
  return is_ipv6(text.substr(0, zone)) &&
         (zone == std::string_view::npos || is_zone(text.substr(zone + 1)));
}

bool is_scheme(std::string_view text) noexcept {
  return !text.empty() && is_letter(text.front()) && all_of(text, [](char c) {
    return is_alphanumeric(c) || c == '+' || c == '-' || c == '.';
  });
}

void check_host(std::string_view text, std::string_view what) {
  if (!is_host(text))
    throw invalid_value(fmt::format(
        "{} must be a DNS name, an IPv4 address or an IPv6 address, got \"{}\"", what, text));
}

void check_scheme(std::string_view text, std::string_view what) {
  if (!is_scheme(text))
    throw invalid_value(
        fmt::format("{} must be a letter, then letters, digits, \"+\", \"-\" or \".\", got \"{}\"",
                    what, text));
}

void check_plain_text(std::string_view text, std::string_view what) {
  if (!is_plain_text(text))
    throw invalid_value(
        fmt::format("{} must be UTF-8 without control characters, got \"{}\"", what, text));
}

}  // namespace berth
