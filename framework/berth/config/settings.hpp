// A service's configuration: the user's config.toml, then the workspace's over it
// (<config_dir>/config.toml), then the environment. A workspace arrives with a git clone, so its
// file may not name plugins, which run code, or a registry, which sends clients elsewhere. A value
// that does not parse or is out of range is an error that names file and line, or the variable; an
// unknown key is logged as a warning. A plain value afterwards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <berth/config/declared_option.hpp>

namespace berth {

/// One plugin to load, and its settings.
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

/// The largest config.toml, in bytes.
inline constexpr std::size_t max_config_file_size = std::size_t{64} * 1024;

/// Reads all of them; checks the form of each value, not its range. A file that is both the user's
/// and the workspace's is the workspace's. Sets the `options` of the service, which are in its own
/// table, [<app>]; a program that is not that service has none, and skips that table. Throws
/// invalid_value, and berth::error if a file cannot be read or is not trusted.
server_settings load_settings(std::string_view application, const std::filesystem::path& directory,
                              const option_list* options = nullptr);

/// Whose file is read: a workspace's may not name plugins or a registry.
enum class config_tier { user, workspace };

/// The table of a config.toml that is the service's own.
struct own_table {
  std::string_view application;
  const option_list* options = nullptr;
};

/// One file alone: `text`, of the file at `path`, over `settings`. Throws invalid_value; for a key
/// that a workspace's file may not have, the message names `user_file` as the place for it.
void read_settings(std::string_view text, const std::string& path, server_settings& settings,
                   config_tier tier = config_tier::workspace, const std::string& user_file = {},
                   const own_table& own = {});

/// Throws invalid_value, as in "server.port must be 0 (auto) or >= 1024, got 500".
void validate(const server_settings& settings);

}  // namespace berth
