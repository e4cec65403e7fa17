// JSON over several lines, two spaces per level.
#pragma once

#include <string>
#include <string_view>

namespace pm {

inline std::string pretty(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  bool in_string = false;
  const auto line = [&] { out += '\n' + std::string(2 * depth, ' '); };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < json.size()) out += json[++i];
      in_string = c != '"';
    } else if (c == '{' || c == '[') {
      out += c;
      ++depth;
      line();
    } else if (c == '}' || c == ']') {
      if (depth > 0) --depth;
      line();
      out += c;
    } else {
      out += c;
      in_string = c == '"';
      if (c == ',') line();
      if (c == ':') out += ' ';
    }
  }
  return out;
}

}  // namespace pm
