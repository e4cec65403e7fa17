#include <berth/discovery/record.hpp>

namespace berth {

std::string reachable_host(const std::string& host) {
  if (host == "0.0.0.0" || host == "*") return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

std::string url_of(const std::string& scheme, const std::string& host, std::uint16_t port) {
  const std::string reachable = reachable_host(host);
  const bool bracket = reachable.find(':') != std::string::npos && reachable.front() != '[';
  return scheme + "://" + (bracket ? '[' + reachable + ']' : reachable) + ':' +
         std::to_string(port);
}

std::string url_of(const record& server) { return url_of(server.scheme, server.host, server.port); }

}  // namespace berth
