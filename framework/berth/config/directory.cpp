#include <berth/config/directory.hpp>

#include <cstdlib>
#include <optional>

#include <berth/base/error.hpp>
#include <berth/config/environment.hpp>
#include <berth/config/file_system.hpp>

#ifndef BERTH_DEFAULT_APP
#define BERTH_DEFAULT_APP "pm"
#endif

namespace berth {
namespace {

namespace fs = std::filesystem;

fs::path home_directory() {
#ifdef _WIN32
  const char* const home = std::getenv("USERPROFILE");
#else
  const char* const home = std::getenv("HOME");
#endif
  return home ? fs::path(home) : fs::path();
}

bool same_directory(const fs::path& one, const fs::path& other) {
  std::error_code ignored;
  return !other.empty() && fs::equivalent(one, other, ignored);
}

std::optional<fs::path> nearest_above(const fs::path& start, const fs::path& name) {
  const fs::path home = home_directory();
  const auto device = device_of(start);
  fs::path directory = start;
  for (;;) {
    std::error_code ignored;
    if (fs::is_directory(directory / name, ignored)) return directory / name;
    const fs::path parent = directory.parent_path();
    if (parent == directory || same_directory(directory, home)) return std::nullopt;
    if (device_of(parent) != device) return std::nullopt;
    directory = parent;
  }
}

}  // namespace

std::string_view default_application() noexcept { return BERTH_DEFAULT_APP; }

fs::path config_directory(std::string_view application, const fs::path& given) {
  if (!given.empty()) return given;
  if (const auto named = variable(application, "CONFIG_DIR")) return *named;
  std::error_code failed;
  const fs::path here = fs::current_path(failed);
  if (failed) throw error(failed, "find the current directory");
  const fs::path name = "." + std::string(application);
  return nearest_above(here, name).value_or(here / name);
}

}  // namespace berth
