#include <berth/cli/options.hpp>

#include <berth/base/redact.hpp>
#include <berth/cli/registry_hint.hpp>
#include <berth/config/directory.hpp>
#include <berth/config/environment.hpp>
#include <berth/config/settings.hpp>
#include <berth/discovery/start_request.hpp>

namespace berth::cli {

location options::server_location() const {
  return {application, config_directory(application, config_dir), instance};
}

location options::publish_location() const {
  std::filesystem::path directory = config_dir;
  std::string named = instance_is_given ? instance : std::string();
  take_start_request().complete(directory, named);
  return {application, config_directory(application, directory), named.empty() ? instance : named};
}

std::string options::registry_url() const {
  std::string url = registry;
  if (url.empty()) url = variable(application, "REGISTRY").value_or("");
  if (url.empty() && may_ask_registry(server_location()))
    url = load_settings(application, server_location().directory).registry;
  return url == "file" ? std::string() : url;
}

std::string options::registry_name() const { return without_password(registry_url()); }

}  // namespace berth::cli
