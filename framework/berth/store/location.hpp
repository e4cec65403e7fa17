// Where an instance of an application is published: a plain value. The directory is found by the
// rules of config/directory.hpp, or given.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace berth {

inline constexpr std::string_view default_instance = "server";

/// A path as the system takes it. A std::filesystem::path also indexes its parts, which would cost
/// a look-up more than parsing the record.
using path_name = std::filesystem::path::string_type;

struct location {
  /// Throws invalid_value unless the application and the instance are plain names.
  location(std::string application_name, std::filesystem::path config_directory,
           std::string instance_name = std::string(default_instance));

  std::filesystem::path port_file() const { return port_file_name(); }
  path_name port_file_name() const;
  std::filesystem::path lock_file() const { return directory / (instance + ".lock"); }
  /// The server's name for people: "pm-server".
  std::string server_name() const { return application + "-server"; }

  std::string application;
  std::filesystem::path directory;
  std::string instance;
};

/// Letters, digits, '-', '_' and '.', not beginning with '.' or '-', at most 64 of them: a name
/// that is safe in a file name and an environment variable.
bool is_plain_name(std::string_view name) noexcept;

}  // namespace berth
