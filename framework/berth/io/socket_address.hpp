// Conversions between an endpoint and the socket address that libuv takes. Private to io/.
#pragma once

#include <optional>

#include <uv.h>

#include <berth/base/result.hpp>
#include <berth/io/endpoint.hpp>

namespace berth {

struct socket_address {
  sockaddr_storage storage{};
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// Returns nullopt if the host is not an address, or has a zone ("%eth0") that does not exist here.
std::optional<socket_address> numeric_address(const endpoint& of);
/// With the zone, if the address has one.
endpoint to_endpoint(const sockaddr* address);

}  // namespace berth
