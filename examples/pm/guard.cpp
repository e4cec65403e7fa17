#include "guard.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <uv.h>

namespace pm {
namespace {

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return lower;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

using address = std::array<unsigned char, 16>;

std::optional<address> parse_address(int family, const std::string& text) {
  address bytes{};
  if (uv_inet_pton(family, text.c_str(), bytes.data()) != 0) return std::nullopt;
  return bytes;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t number = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number == 0) return std::nullopt;
  return number;
}

std::uint16_t port_in(const authority& of, std::string_view scheme) {
  return of.port.value_or(static_cast<std::uint16_t>(scheme == "https" ? 443 : 80));
}

std::optional<authority> as_host(const std::string& host) {
  return parse_authority(host.find(':') == std::string::npos ? host : '[' + host + ']');
}

std::string name_of_machine() {
  char name[UV_MAXHOSTNAMESIZE];
  std::size_t size = sizeof name;
  return uv_os_gethostname(name, &size) == 0 ? in_lower_case({name, size}) : std::string();
}

}  // namespace

std::optional<authority> parse_authority(std::string_view text) {
  authority parsed;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    parsed.host = in_lower_case(text.substr(1, end - 1));
    if (const auto zone = parsed.host.find('%'); zone != std::string::npos)
      parsed.host.resize(zone);
    if (!parse_address(AF_INET6, parsed.host)) return std::nullopt;
    parsed.is_address = true;
    rest = text.substr(end + 1);
  } else {
    const auto end = std::min(text.find(':'), text.size());
    parsed.host = in_lower_case(text.substr(0, end));
    if (!is_name(parsed.host)) return std::nullopt;
    parsed.is_address = parse_address(AF_INET, parsed.host).has_value();
    rest = text.substr(end);
  }
  if (rest.empty()) return parsed;
  parsed.port = parse_port(rest.substr(1));
  if (rest.front() != ':' || !parsed.port) return std::nullopt;
  return parsed;
}

bool is_loopback(const authority& of) {
  if (!of.is_address) return of.host == "localhost" || of.host.ends_with(".localhost");
  if (const auto bytes = parse_address(AF_INET, of.host)) return bytes->front() == 127;
  address one{};
  one.back() = 1;
  return parse_address(AF_INET6, of.host) == one;
}

guard::guard(const berth::record& published) : scheme_(published.scheme), port_(published.port) {
  const auto host = as_host(published.host);
  local_only_ = host && is_loopback(*host);
  if (host) names_.push_back(host->host);
  if (!local_only_) names_.push_back(name_of_machine());
}

std::optional<response> guard::refuse(const request& asked) const {
  if (asked.hosts.empty() && asked.version_1_0) return std::nullopt;  // no current browser
  if (asked.hosts.size() != 1) return refusal(400, "a request must have one Host header");
  const auto host = parse_authority(asked.hosts.front());
  if (!host) return refusal(400, "the Host header is neither HOST nor HOST:PORT");
  if (!is_ours(*host))
    return refusal(
        403, "this server does not serve the host that the Host header names; ask for " +
                 berth::url_of(scheme_, names_.empty() ? "localhost" : names_.front(), port_));
  for (const auto& origin : asked.origins)
    if (!is_same_origin(origin, *host))
      return refusal(403, "this server does not serve pages of another origin");
  return std::nullopt;
}

bool guard::is_ours(const authority& host) const {
  if (local_only_ && host.port.value_or(port_) != port_) return false;
  if (is_loopback(host) || (host.is_address && !local_only_)) return true;
  return std::find(names_.begin(), names_.end(), host.host) != names_.end();
}

// Sandboxed pages and files have the origin "null".
bool guard::is_same_origin(std::string_view origin, const authority& host) const {
  const std::string prefix = scheme_ + "://";
  if (!origin.starts_with(prefix)) return false;
  const auto page = parse_authority(origin.substr(prefix.size()));
  return page && page->host == host.host && port_in(*page, scheme_) == port_in(host, scheme_);
}

}  // namespace pm
