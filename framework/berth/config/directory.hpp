// Which directory an application's configuration and port files are in. The order: the one that
// was given; $<APP>_CONFIG_DIR; the nearest existing .<app> in the current directory or above it,
// no further than the workspace root, the home directory, a file-system boundary or /; .<app> in
// the workspace root, else in the current directory. The workspace root is the nearest directory,
// from the current one upward, that holds .git. A directory found by a search must belong to the
// user; a named one must not be writable by strangers.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace berth {

/// The default application: $BERTH_APP, else the one chosen when berth was built.
std::string default_application();

/// `given` may be empty. The directory need not exist. Absolute unless `given` or the variable is
/// relative, which then count from the current directory. Throws berth::error, which names the
/// directory, its owner and what to do, if the directory is not trusted.
std::filesystem::path config_directory(std::string_view application,
                                       const std::filesystem::path& given = {});

/// The nearest directory, from `start` upward, that holds .git; empty if there is none.
std::filesystem::path workspace_root(const std::filesystem::path& start);

/// The user's own configuration of the application: $XDG_CONFIG_HOME/<app>/config.toml, by default
/// ~/.config/<app>/config.toml. Empty if neither variable nor home directory is an absolute path.
std::filesystem::path user_config_file(std::string_view application);

}  // namespace berth
