// An address and a port as users write them: "127.0.0.1" and 8080, "::1" and 0. A value.
#pragma once

#include <cstdint>
#include <string>

namespace berth {

struct endpoint {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// "127.0.0.1:8080", "[::1]:8080".
std::string to_string(const endpoint& of);

}  // namespace berth
