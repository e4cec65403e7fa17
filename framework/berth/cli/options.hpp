// The options and arguments of a berth command line, after its syntax has been checked.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <berth/store/location.hpp>

namespace berth::cli {

/// The exit statuses that scripts rely on.
enum exit_code : int {
  done = 0,
  failed = 1,
  wrong_usage = 2,
  no_live_server = 3,
  another_is_live = 4,
  timed_out = 5,
};

struct options {
  std::string application;
  std::string config_dir;
  std::string instance;
  bool instance_is_given = false;
  std::string registry;
  bool json = false;

  std::optional<std::chrono::nanoseconds> timeout;
  std::string host;
  std::uint16_t port = 0;
  std::string version;
  std::vector<std::string> command;
  std::string exact_version;
  std::string minimum_version;
  bool per_version = false;
  std::string log;
  bool now = false;
  bool kill = false;
  std::string endpoint;
  bool with_token = false;
  bool all = false;
  bool watch = false;

  location server_location() const;
  /// Where this process publishes: as its starter requested, unless the arguments say otherwise.
  location publish_location() const;
  /// The registry to ask instead of the file system: that of --registry, else <APP>_REGISTRY, else
  /// that of config.toml; empty if there is none.
  std::string registry_url() const;
  /// The same for messages, without a password.
  std::string registry_name() const;
};

}  // namespace berth::cli
