#include <berth/config/toml_depth.hpp>

namespace berth {
namespace {

constexpr std::size_t max_dots = 64;

/// The length of the string that `text` begins with, its quotes included (TOML 1.0, "String").
std::size_t string_length(std::string_view text) noexcept {
  const char quote = text.front();
  const std::string_view triple = quote == '"' ? R"(""")" : "'''";
  const bool multiline = text.starts_with(triple);
  std::size_t at = multiline ? 3 : 1;
  for (; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\')
      ++at;
    else if (multiline ? text.substr(at).starts_with(triple) : text[at] == quote)
      return at + (multiline ? 3 : 1);
    else if (!multiline && text[at] == '\n')
      return at;
  }
  return text.size();
}

}  // namespace

std::size_t deeply_nested_line(std::string_view text) noexcept {
  std::size_t line = 1, dots = 0;
  bool comment = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') {
      ++line;
      dots = 0;
      comment = false;
    } else if (comment) {
      continue;
    } else if (c == '#') {
      comment = true;
    } else if (c == '"' || c == '\'') {
      const auto length = string_length(text.substr(at));
      for (const char each : text.substr(at, length)) line += each == '\n';
      at += length - 1;
    } else if (c == '.' && ++dots > max_dots) {
      return line;
    }
  }
  return 0;
}

}  // namespace berth
