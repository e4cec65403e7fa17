#include <berth/base/redact.hpp>

#include <algorithm>

namespace berth {
namespace {

/// The offsets of the password; equal if there is none.
struct range {
  std::size_t begin = 0, end = 0;
};

/// The text in the place of the port in "scheme://user:password", a URL without '@' and host.
range password_without_host(std::string_view url, std::size_t user) noexcept {
  const auto end = std::min(url.find_first_of("/,;?", user), url.size());
  const auto colon = url.find(':', user);
  if (colon >= end || url[user] == '[') return {};
  if (url.substr(colon + 1, end - colon - 1).find_first_not_of("0123456789") == url.npos) return {};
  return {colon + 1, url.size()};
}

// Up to the last '@', because passwords hold '/' and '@' before anybody encodes them.
range password_of(std::string_view url) noexcept {
  const auto scheme = url.find("://");
  const auto user = scheme == std::string_view::npos ? 0 : scheme + 3;
  const auto end = url.rfind('@');
  const auto colon = url.find(':', user);
  if (end == std::string_view::npos && user != 0) return password_without_host(url, user);
  if (end == std::string_view::npos || colon == std::string_view::npos || colon >= end) return {};
  return {colon + 1, end};
}

}  // namespace

bool has_password(std::string_view url) noexcept {
  const auto password = password_of(url);
  return password.begin < password.end;
}

std::string without_password(std::string_view url) {
  const auto [begin, end] = password_of(url);
  std::string shown(url);
  if (begin < end) shown.replace(begin, end - begin, "***");
  return shown;
}

}  // namespace berth
