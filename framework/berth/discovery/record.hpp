// What a server publishes about itself: the content of a port file, as a plain value. The first
// five members are in every file; the rest are extensions, empty where the writer knows none.
#pragma once

#include <cstdint>
#include <map>
#include <string>

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
  std::string lock;         ///< how the writer locks the file ("ofd"); empty where it does not
  process_origin origin;
  std::string scheme = "http";
  std::map<std::string, named_endpoint> endpoints;
  std::string token;
  std::map<std::string, std::string> metadata;

  friend bool operator==(const record&, const record&) = default;
};

/// A record of this process as it starts to serve at `host` and `port`, now.
record describe_this_process(std::string host, std::uint16_t port, std::string version);

/// Where a client reaches the server: "http://127.0.0.1:8080". A wildcard host becomes the
/// loopback address of its family; IPv6 is bracketed.
std::string url_of(const record& server);
/// The host as it is there.
std::string reachable_host(const std::string& host);
std::string url_of(const std::string& scheme, const std::string& host, std::uint16_t port);

/// The current time as the port file has it: "2026-01-31T08:15:30Z".
std::string rfc3339_now();

}  // namespace berth
