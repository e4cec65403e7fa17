// What a server publishes about itself: the content of a port file, as a plain value. The first
// five members are in every file; the rest are extensions, empty if the writer sets none.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace berth {

/// Which process a pid meant when it was written. Empty and 0 stand for unknown.
struct process_origin {
  std::uint64_t start_time = 0;     ///< in the system's own unit; only ever compared
  std::uint64_t pid_namespace = 0;  ///< in which the pid counts
  std::string boot_id;              ///< of the running system; another after each boot
  std::string host_id;              ///< of the installation; says nothing else about it

  friend bool operator==(const process_origin&, const process_origin&) = default;
};

/// One more address that a server listens on.
struct named_endpoint {
  std::string host;
  std::uint16_t port = 0;
  std::string scheme = "http";

  friend bool operator==(const named_endpoint&, const named_endpoint&) = default;
};

struct record {
  std::uint32_t pid = 0;
  std::uint16_t port = 0;
  std::string host;
  std::string started_at;  ///< RFC 3339, UTC
  std::string version;

  std::string instance_id;  ///< 128 random bits in hexadecimal, new with every start
  std::string lock;         ///< how the writer locks the file ("ofd"); empty if it does not
  std::string volume;       ///< the layered file system it was written on; empty on others
  process_origin origin;
  std::string scheme = "http";
  std::map<std::string, named_endpoint> endpoints;
  std::string token;
  std::map<std::string, std::string> metadata;

  friend bool operator==(const record&, const record&) = default;
};

/// Where a client reaches the server: "http://127.0.0.1:8080". A wildcard host becomes the
/// loopback address of its family; IPv6 is bracketed, and its zone percent-encoded (RFC 6874).
std::string url_of(const record& server);
/// The host of that URL, without brackets.
std::string reachable_host(const std::string& host);
std::string url_of(const std::string& scheme, const std::string& host, std::uint16_t port);
/// "URL/?token=TOKEN", the token percent-encoded.
std::string url_with_token(std::string url, std::string_view token);

}  // namespace berth
