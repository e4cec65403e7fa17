// Which directory an application's configuration and port files are in. The order: the one that
// was given; <APP>_CONFIG_DIR; the nearest existing .<app> in the current directory or above it;
// .<app> in the current directory. The way up ends with the home directory, before another file
// system, and with the root.
#pragma once

#include <filesystem>
#include <string_view>

namespace berth {

/// The application that is meant where none is named, chosen when berth was built.
std::string_view default_application() noexcept;

/// `given` may be empty. The directory need not exist. Absolute unless `given` or the variable is
/// relative, which then count from the current directory.
std::filesystem::path config_directory(std::string_view application,
                                       const std::filesystem::path& given = {});

}  // namespace berth
