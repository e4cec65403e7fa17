// An address and a port as users write them: "127.0.0.1" and 8080, "::1" and 0, "fe80::1%eth0" and
// 8080 with the zone that a link-local address needs. A value.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace berth {

struct endpoint {
  // Declared so that this is not an aggregate, which GCC 12 would destroy twice in a co_await.
  endpoint() = default;
  endpoint(std::string address, std::uint16_t number) : host(std::move(address)), port(number) {}

  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// "127.0.0.1:8080", "[::1]:8080".
std::string to_string(const endpoint& of);

}  // namespace berth
