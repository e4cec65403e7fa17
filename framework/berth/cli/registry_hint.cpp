#include <berth/cli/registry_hint.hpp>

#include <berth/base/error.hpp>
#include <berth/config/directory.hpp>
#include <berth/config/environment.hpp>
#include <berth/config/settings.hpp>
#include <berth/store/trust.hpp>

namespace berth::cli {
namespace {

bool names_registry(const std::filesystem::path& path) {
  if (path.empty()) return false;
  const auto text = read_trusted_file(path, max_config_file_size);
  return text && text->find("registry") != std::string::npos;
}

}  // namespace

bool may_ask_registry(const location& location) {
  if (variable(location.application, "REGISTRY")) return true;
  try {
    return names_registry(user_config_file(location.application)) ||
           names_registry(location.directory / "config.toml");
  } catch (const error&) {
    return true;  // reading the whole configuration reports the error
  }
}

}  // namespace berth::cli
