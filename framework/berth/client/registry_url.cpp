#include <berth/client/registry_url.hpp>

#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/redact.hpp>
#include <berth/record/record_check.hpp>

namespace berth {
namespace {

bool is_port(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc() && end == text.data() + text.size() && port != 0;
}

/// HOST, HOST:PORT, [IPV6] or [IPV6]:PORT.
bool is_endpoint(std::string_view text) noexcept {
  const bool bracketed = text.starts_with('[');
  const auto end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && end == std::string_view::npos) return false;
  const std::string_view host = bracketed ? text.substr(1, end - 1) : text.substr(0, end);
  if (!is_host(host) || bracketed != (host.find(':') != std::string_view::npos)) return false;
  std::string_view rest =
      end == std::string_view::npos ? "" : text.substr(end + (bracketed ? 1 : 0));
  if (rest.empty()) return true;
  return rest.front() == ':' && is_port(rest.substr(1));
}

}  // namespace

void check_registry_url(const std::string& url) {
  if (url == "file") return;
  constexpr std::string_view form = "use etcd://HOST:PORT[,HOST:PORT][/PREFIX], or file";
  const bool secure = url.starts_with("etcds://");
  if (!secure && !url.starts_with("etcd://"))
    throw invalid_value(
        fmt::format("the registry \"{}\" has an unknown scheme: {}", without_password(url), form));
  std::string_view hosts = std::string_view(url).substr(secure ? 8 : 7);
  hosts = hosts.substr(0, hosts.find('?'));
  hosts = hosts.substr(0, hosts.find('/'));
  if (const auto user = hosts.rfind('@'); user != std::string_view::npos)
    hosts.remove_prefix(user + 1);
  bool any = false;
  while (!hosts.empty()) {
    const auto comma = hosts.find(',');
    const auto each = hosts.substr(0, comma);
    if (!each.empty() && !is_endpoint(each))
      throw invalid_value(fmt::format("the registry \"{}\" does not name its hosts: {}",
                                      without_password(url), form));
    any = any || !each.empty();
    hosts = comma == std::string_view::npos ? std::string_view() : hosts.substr(comma + 1);
  }
  if (!any)
    throw invalid_value(
        fmt::format("the registry \"{}\" names no host: {}", without_password(url), form));
}

}  // namespace berth
