// The port file's text: one JSON object, read by simdjson and written by fmt, with the checks and
// limits of the format. No I/O; thread-safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include <berth/base/error.hpp>
#include <berth/record/record.hpp>

namespace berth {

/// The largest port file, in bytes.
inline constexpr std::size_t max_port_file_size = std::size_t{64} * 1024;
/// How many bytes parse_record may read beyond the end of its text.
inline constexpr std::size_t parse_padding = 64;

/// Why a text is not a record: "field "port" is missing".
class invalid_record : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// "Invalid port file PATH: REASON".
class invalid_port_file : public error {
 public:
  invalid_port_file(const std::filesystem::path& path, std::string_view reason);
  /// The same with what to do about it: "FAULT; ADVICE".
  invalid_port_file(const invalid_port_file& fault, std::string_view advice)
      : error(std::string(fault.what()).append("; ").append(advice), fault.code()) {}
};

/// `padded` lies in a buffer with parse_padding more bytes behind it. Throws invalid_record.
record parse_record(std::string_view padded);

/// Throws invalid_value if a field is out of range or the text would be too large.
std::string format_record(const record& server);

/// The record's members within an object that may hold others.
class json_object;
void write_members(json_object& into, const record& server);

}  // namespace berth
