#include <berth/config/directory.hpp>

#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/config/environment.hpp>
#include <berth/config/file_system.hpp>
#include <berth/store/trust.hpp>

#ifndef BERTH_DEFAULT_APP
#define BERTH_DEFAULT_APP "pm"
#endif

namespace berth {
namespace {

namespace fs = std::filesystem;

fs::path path_in(const char* variable) {
  const char* const text = std::getenv(variable);
  return text ? fs::path(text) : fs::path();
}

fs::path home_directory() {
#ifdef _WIN32
  return path_in("USERPROFILE");
#else
  return path_in("HOME");
#endif
}

bool same_directory(const fs::path& one, const fs::path& other) {
  std::error_code ignored;
  return !other.empty() && fs::equivalent(one, other, ignored);
}

bool is_taken(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

/// Whether there is a directory or a link; check_found_directory then refuses a link, which a
/// search must not silently skip.
bool holds_directory(const fs::path& path) {
  std::error_code ignored;
  const auto type = fs::symlink_status(path, ignored).type();
  return type == fs::file_type::directory || type == fs::file_type::symlink;
}

/// The nearest `name` from `start` upward, no further than `last`, the home directory or the
/// boundary of the file system.
std::optional<fs::path> nearest_above(const fs::path& start, const fs::path& name,
                                      const fs::path& last) {
  const fs::path home = home_directory();
  const auto device = device_of(start);
  fs::path directory = start;
  for (;;) {
    if (holds_directory(directory / name)) return directory / name;
    const fs::path parent = directory.parent_path();
    if (parent == directory || directory == last || same_directory(directory, home) ||
        device_of(parent) != device)
      return std::nullopt;
    directory = parent;
  }
}

fs::path search(const fs::path& name) {
  std::error_code failed;
  const fs::path here = fs::current_path(failed);
  if (failed)
    throw error(fmt::format("cannot find the current directory: {}; change to one that exists, or "
                            "name a directory with --config-dir",
                            failed.message()),
                failed);
  const fs::path root = workspace_root(here);
  auto found = nearest_above(here, name, root).value_or((root.empty() ? here : root) / name);
  if (is_taken(found)) check_found_directory(found);
  return found;
}

fs::path checked(fs::path named) {
  std::error_code ignored;
  if (fs::exists(named, ignored)) check_named_directory(named);
  return named;
}

}  // namespace

std::string default_application() {
  const char* const named = std::getenv("BERTH_APP");
  return named && *named ? named : BERTH_DEFAULT_APP;
}

fs::path workspace_root(const fs::path& start) {
  fs::path directory = start;
  for (;;) {
    std::error_code ignored;
    const auto type = fs::status(directory / ".git", ignored).type();
    if (type == fs::file_type::directory || type == fs::file_type::regular) return directory;
    const fs::path parent = directory.parent_path();
    if (parent == directory) return {};
    directory = parent;
  }
}

fs::path config_directory(std::string_view application, const fs::path& given) {
  if (!given.empty()) return checked(given);
  if (const auto named = variable(application, "CONFIG_DIR")) return checked(*named);
  return search("." + std::string(application));
}

// The XDG Base Directory Specification requires that a relative path be ignored.
fs::path user_config_file(std::string_view application) {
  fs::path base = path_in("XDG_CONFIG_HOME");
  if (!base.is_absolute()) base = home_directory() / ".config";
  return base.is_absolute() ? base / std::string(application) / "config.toml" : fs::path();
}

}  // namespace berth
