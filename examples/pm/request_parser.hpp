// Parses HTTP/1.1 requests from a stream of bytes, one after the other, by http-parser or llhttp.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pm {

struct request {
  std::string method;
  std::string path;   ///< without its query
  std::string token;  ///< of "Authorization: Bearer …", else of "?token=…"; may be empty
  std::string body;
  std::vector<std::string> hosts;    ///< of each header "Host"
  std::vector<std::string> origins;  ///< of each header "Origin"
  bool version_1_0 = false;          ///< or older: such requests need no Host
  bool keep_alive = false;
};

enum class parse_state { incomplete, complete, malformed, too_large };

class request_parser {
 public:
  static constexpr std::size_t largest_body = 64 * 1024;
  static constexpr std::size_t largest_head = 64 * 1024;  ///< and of the trailers

  request_parser();
  ~request_parser();

  /// Takes bytes up to the end of one request; `bytes` keeps what comes after it.
  parse_state feed(std::string_view& bytes);
  /// Whether a part of a request has come.
  bool begun() const noexcept;
  /// The complete request; the next feed begins another.
  const request& complete() const noexcept;

 private:
  struct core;
  std::unique_ptr<core> core_;
};

}  // namespace pm
