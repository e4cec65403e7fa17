#include <berth/discovery/record.hpp>

namespace berth {

std::string url_of(const std::string& scheme, const std::string& host, std::uint16_t port) {
  const std::string reachable = host == "0.0.0.0" || host == "*" ? "127.0.0.1"
                                : host == "::"                   ? "::1"
                                                                 : host;
  const bool bracket = reachable.find(':') != std::string::npos && reachable.front() != '[';
  return scheme + "://" + (bracket ? '[' + reachable + ']' : reachable) + ':' +
         std::to_string(port);
}

std::string url_of(const record& server) { return url_of(server.scheme, server.host, server.port); }

}  // namespace berth
