// The command line that every service has for free.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <berth/base/log.hpp>
#include <berth/config/settings.hpp>

namespace berth {

struct service_arguments {
  std::optional<std::string> host;
  std::optional<std::int64_t> port;
  std::string config_dir;
  std::string instance;
  bool require_token = false;
  std::vector<plugin_settings> plugins;
  std::optional<log::level> log_level;
  std::map<std::string, std::string> options;  ///< of the service's own, by key; their texts parse
  /// Set if nothing is left to do but to exit: after --help, --version or wrong usage.
  std::optional<int> exit_status;
};

service_arguments parse_arguments(int argc, const char* const* argv, const std::string& name,
                                  const std::string& version, const option_list& own = {});

}  // namespace berth
