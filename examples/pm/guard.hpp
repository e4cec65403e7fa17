// Refuses requests that a web page makes behind its user's back. A page of evil.example whose name
// is made to point at 127.0.0.1 (DNS rebinding) sends "Host: evil.example"; a page that posts to a
// server of this machine sends its own "Origin". Other programs send no Origin, and the URL's host
// as Host.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <berth/record/record.hpp>

#include "http.hpp"

namespace pm {

/// HOST or HOST:PORT, as in the Host header and in origins.
struct authority {
  std::string host;  ///< in lower case, without brackets and zone
  std::optional<std::uint16_t> port;
  bool is_address = false;

  friend bool operator==(const authority&, const authority&) = default;
};

/// Returns nullopt if the text is neither.
std::optional<authority> parse_authority(std::string_view text);
/// localhost, a name below it, an address of 127.0.0.0/8, or ::1.
bool is_loopback(const authority& of);

/// Checks requests for one server. Accepts as Host the published host and the names of the loopback
/// device, with the server's port or none. A server that listens on more than loopback is also
/// reached through routers and containers, by names and ports that it does not know: it accepts
/// this machine's name and all addresses too (which DNS cannot rebind), with any port.
class guard {
 public:
  guard() = default;
  explicit guard(const berth::record& published);

  /// The answer to a request that must not be served: 400 if its headers are broken, 403 if they
  /// name another server, or a page of another one.
  std::optional<response> refuse(const request& asked) const;

 private:
  bool is_ours(const authority& host) const;
  bool is_same_origin(std::string_view origin, const authority& host) const;

  std::string scheme_;
  std::uint16_t port_ = 0;
  bool local_only_ = true;
  std::vector<std::string> names_;
};

}  // namespace pm
