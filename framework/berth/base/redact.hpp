// Hides passwords in URLs, which must not appear in a message, log or process list. No I/O;
// thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace berth {

/// Whether the URL is "SCHEME://USER:PASSWORD@…". A malformed URL counts if it may hold a password.
bool has_password(std::string_view url) noexcept;

/// The URL with "***" for its password: "etcd://root:***@127.0.0.1:2379".
std::string without_password(std::string_view url);

}  // namespace berth
