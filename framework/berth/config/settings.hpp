// What a service is configured to do: <config_dir>/config.toml, then the environment over it.
// A value that does not parse or is out of range is an error that says where it stands; a key
// that nobody knows is logged as a warning. A plain value afterwards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// One plugin to load, and what it is given.
struct plugin_settings {
  std::filesystem::path path;
  std::map<std::string, std::string> values;
};

struct server_settings {
  std::string host = "127.0.0.1";        ///< an address or a name to bind to
  std::int64_t port = 0;                 ///< 0: the system picks; or 1024-65535
  std::int64_t max_connections = 10000;  ///< 1-100000 served at once
  std::int64_t idle_shutdown_secs = 0;   ///< 0: never; at most a year, 31536000
  std::string registry;  ///< that clients ask, as in etcd://…; the file system where empty
  std::vector<plugin_settings> plugins;  ///< of [[plugin]] in the file, in its order
};

/// Reads both; checks the form of each value, not its range. Throws invalid_value.
server_settings load_settings(std::string_view application, const std::filesystem::path& directory);

/// The file alone: `text`, of the file at `path`, over `settings`. Throws invalid_value.
void read_settings(std::string_view text, const std::string& path, server_settings& settings);

/// Throws invalid_value, as in "server.port must be 0 (auto) or >= 1024, got 500".
void validate(const server_settings& settings);

}  // namespace berth
