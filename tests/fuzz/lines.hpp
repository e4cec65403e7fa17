// What a fuzzer gives, as lines that are C strings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

inline std::vector<std::string> lines_of(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < size; ++i) {
    const char c = static_cast<char>(data[i]);
    if (c == '\n')
      lines.emplace_back();
    else if (c != '\0')
      lines.back() += c;
  }
  return lines;
}
