#include <berth/io/endpoint.hpp>

#include <charconv>
#include <cstring>
#include <string_view>

#include <berth/io/socket_address.hpp>

namespace berth {
namespace {

/// The number of a zone, given by its interface's name or as a number.
std::optional<std::uint32_t> zone_number(std::string_view zone) {
  std::uint32_t number = 0;
  const auto [end, failed] = std::from_chars(zone.data(), zone.data() + zone.size(), number);
  if (failed == std::errc() && end == zone.data() + zone.size()) return number;
  sockaddr_in6 any;
  const std::string zoned = "::%" + std::string(zone);
  if (uv_ip6_addr(zoned.c_str(), 0, &any) != 0 || any.sin6_scope_id == 0) return std::nullopt;
  return any.sin6_scope_id;
}

std::string zone_name(std::uint32_t number) {
  char name[UV_IF_NAMESIZE];
  std::size_t size = sizeof name;
  return uv_if_indextoiid(number, name, &size) == 0 ? name : std::to_string(number);
}

}  // namespace

std::string to_string(const endpoint& of) {
  const bool bracket = of.host.find(':') != std::string::npos;
  return (bracket ? "[" + of.host + "]" : of.host) + ":" + std::to_string(of.port);
}

std::optional<socket_address> numeric_address(const endpoint& of) {
  if (of.host.find('\0') != std::string::npos) return std::nullopt;
  socket_address address;
  if (uv_ip4_addr(of.host.c_str(), of.port, reinterpret_cast<sockaddr_in*>(&address.storage)) == 0)
    return address;
  const std::size_t percent = of.host.find('%');
  sockaddr_in6 v6{};
  if (uv_inet_pton(AF_INET6, of.host.substr(0, percent).c_str(), &v6.sin6_addr) != 0)
    return std::nullopt;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(of.port);
  if (percent != std::string::npos) {
    const auto zone = zone_number(std::string_view(of.host).substr(percent + 1));
    if (!zone) return std::nullopt;
    v6.sin6_scope_id = *zone;
  }
  std::memcpy(&address.storage, &v6, sizeof v6);
  return address;
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
  std::string host = text;
  if (v6.sin6_scope_id != 0) host += '%' + zone_name(v6.sin6_scope_id);
  return {std::move(host), ntohs(v6.sin6_port)};
}

}  // namespace berth
