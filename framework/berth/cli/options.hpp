// What the berth command line was told, checked as far as words go.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <berth/discovery/location.hpp>

namespace berth::cli {

/// The statuses that scripts rely on.
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
  std::string registry;
  bool json = false;

  std::optional<std::chrono::nanoseconds> timeout;
  std::string host;
  std::uint16_t port = 0;
  std::string version;
  std::vector<std::string> command;
  std::string exact_version;
  std::string minimum_version;
  std::string log;
  bool now = false;
  std::string endpoint;
  bool with_token = false;
  bool all = false;
  bool watch = false;

  location where() const;
  /// The registry that is asked in the place of the file system: as given, else <APP>_REGISTRY,
  /// else of config.toml; empty where none.
  std::string registry_url() const;
};

}  // namespace berth::cli
