// The choices of a service's author before a run. Plain values: a run takes a copy, so changes take
// effect in the next run.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <berth/config/settings.hpp>
#include <berth/liveness/liveness.hpp>
#include <berth/service/connection_handler.hpp>

namespace berth {

struct drain_times {
  drain_times() = default;
  std::chrono::milliseconds quiet{100};    ///< without a new connection: no client is on its way
  std::chrono::milliseconds idle{1'000};   ///< then connections without a request are ended
  std::chrono::milliseconds soft{10'000};  ///< connections may end by themselves
  std::chrono::milliseconds hard{5'000};   ///< after the soft one: cancelled ones must have ended
};

/// Who checks a client's token if the service requires one.
enum class token_check { nobody, by_handler };

/// A port beside the main one, published under a name.
struct endpoint_options {
  std::string name;
  std::string scheme;
  connection_handler handler;
  token_check checked = token_check::nobody;
};

/// Work that runs beside the connections.
struct background_work {
  std::string name;
  std::function<task<>()> start;
};

struct service_options {
  std::string application;
  std::string version;
  std::string scheme = "http";
  connection_handler handler;
  token_check checked = token_check::nobody;
  std::vector<endpoint_options> endpoints;
  std::vector<background_work> background;
  option_list own;  ///< settings of the service's own
  bool requires_token = false;
  std::chrono::milliseconds idle_shutdown{0};
  std::size_t threads = 1;
  std::vector<plugin_settings> plugins;
  const liveness_strategy* liveness = &default_liveness();
  drain_times drain;
};

/// What the caller of serve decides for one run, instead of the search for a directory and the
/// configuration.
struct service_overrides {
  service_overrides() = default;
  std::filesystem::path config_dir;
  std::string instance;  ///< "server" if empty
  std::optional<std::string> host;
  std::optional<std::int64_t> port;
  std::map<std::string, std::string> options;  ///< of the service's own, by key
  bool catch_signals = false;                  ///< SIGTERM and SIGINT stop the service
};

}  // namespace berth
