#include <berth/record/record.hpp>

namespace berth {
namespace {

/// RFC 3986, 2.3.
bool is_unreserved(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string percent_encoded(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(c))
      encoded += c;
    else
      encoded.append({'%', digits[byte >> 4], digits[byte & 0xF]});
  }
  return encoded;
}

/// The host as it is written in a URL.
std::string host_of_url(const std::string& host) {
  if (host.find(':') == std::string::npos) return host;
  const auto zone = host.find('%');
  if (zone == std::string::npos) return '[' + host + ']';
  return '[' + host.substr(0, zone) + "%25" + percent_encoded(host.substr(zone + 1)) + ']';
}

}  // namespace

std::string reachable_host(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  // "::" has other spellings: "0::0", "::0.0.0.0".
  const bool is_ipv6_wildcard =
      host.find(':') != std::string::npos && host.find_first_not_of("0:.") == std::string::npos;
  return is_ipv6_wildcard ? "::1" : host;
}

std::string url_of(const std::string& scheme, const std::string& host, std::uint16_t port) {
  return scheme + "://" + host_of_url(reachable_host(host)) + ':' + std::to_string(port);
}

std::string url_of(const record& server) { return url_of(server.scheme, server.host, server.port); }

std::string url_with_token(std::string url, std::string_view token) {
  return std::move(url) + "/?token=" + percent_encoded(token);
}

}  // namespace berth
