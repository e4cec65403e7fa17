// Writes one JSON object, two spaces deeper than what surrounds it, member by member. No I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace berth {

class json_object {
 public:
  explicit json_object(fmt::memory_buffer& out) : json_object(out, 1) {}

  void member(std::string_view name, std::string_view text);
  void member(std::string_view name, std::uint64_t number);
  void member(std::string_view name, const std::vector<std::string>& texts);
  /// Leaves the member out if its value is empty.
  void member_if(std::string_view name, std::string_view text);
  void member_if(std::string_view name, std::uint64_t number);
  /// Destroy the inner object before writing to this one again.
  json_object object(std::string_view name);
  void end();

 private:
  json_object(fmt::memory_buffer& out, int depth);
  void line(int depth);
  void begin(std::string_view name);

  fmt::memory_buffer& out_;
  int depth_;
  bool empty_ = true;
};

/// Valid UTF-8 whatever the text is: each byte that is not part of a UTF-8 character, as in the
/// path of a directory named in Latin-1, becomes U+FFFD, which every reader of JSON accepts.
/// Characters that a terminal would obey are written as "\uXXXX".
void write_json_string(fmt::memory_buffer& out, std::string_view text);

}  // namespace berth
