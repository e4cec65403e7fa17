#include <berth/io/endpoint.hpp>

#include <cstring>

#include <berth/io/socket_address.hpp>

namespace berth {

std::string to_string(const endpoint& of) {
  const bool bracket = of.host.find(':') != std::string::npos;
  return (bracket ? "[" + of.host + "]" : of.host) + ":" + std::to_string(of.port);
}

std::optional<socket_address> numeric_address(const endpoint& of) noexcept {
  socket_address address;
  if (uv_ip4_addr(of.host.c_str(), of.port, reinterpret_cast<sockaddr_in*>(&address.storage)) == 0)
    return address;
  if (uv_ip6_addr(of.host.c_str(), of.port, reinterpret_cast<sockaddr_in6*>(&address.storage)) == 0)
    return address;
  return std::nullopt;
}

endpoint to_endpoint(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    uv_ip4_name(&v4, text, sizeof text);
    return {text, ntohs(v4.sin_port)};
  }
  sockaddr_in6 v6;
  std::memcpy(&v6, address, sizeof v6);
  uv_ip6_name(&v6, text, sizeof text);
  return {text, ntohs(v6.sin6_port)};
}

}  // namespace berth
