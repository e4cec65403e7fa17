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

/// Nullopt if the host is no address, or one whose zone ("%eth0") does not exist here.
std::optional<socket_address> numeric_address(const endpoint& of);
/// With the zone where the address has one.
endpoint to_endpoint(const sockaddr* address);

}  // namespace berth
