// Refuses requests that a web page makes behind its user's back. A page of evil.example whose name
// is made to point at 127.0.0.1 (DNS rebinding) sends "Host: evil.example"; a page that posts to a
// server of this machine sends its own "Origin". Programs that are no browsers send no Origin, and
// as Host what stands in the URL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <berth/record/record.hpp>

#include "http.hpp"

namespace pm {

/// HOST or HOST:PORT, of the header Host and of origins.
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

/// What a server accepts as Host: the host that it published and names of the loopback device, with
/// its port or none. One that listens on more than loopback is reached through routers and
/// containers, by names and ports that it does not know: it accepts this machine's name and all
/// addresses too (no name, nothing to rebind), with any port.
class guard {
 public:
  guard() = default;
  explicit guard(const berth::record& published);

  /// The answer to a request that must not be served: 400 if its headers are broken, 403 if they
  /// name another server or the page of another one.
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
