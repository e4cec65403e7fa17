// The plugins of a service: shared objects that register hooks through the C interface of plugin.h.
// Loaded before the service runs, started when it does, stopped in reverse order when it has ended;
// no code of theirs runs after that. On the loop's thread, like the service.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <berth/plugin/plugin.h>
#include <berth/config/settings.hpp>
#include <berth/coro/task.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/plugin/hooks.hpp>
#include <berth/store/location.hpp>

namespace berth {

/// What plugins may read and change of the service, besides its hooks.
class plugin_services {
 public:
  virtual const location& where() const noexcept = 0;
  virtual void count(berth_counters& into) const noexcept = 0;
  /// Returns false if the service has a listener already, or the socket is not one.
  virtual bool use_listener(int descriptor) noexcept = 0;

 protected:
  ~plugin_services() = default;
};

/// Why a plugin is not used: "plugin PATH: it exports no berth_plugin_entry".
class plugin_refused : public error {
 public:
  plugin_refused(const std::filesystem::path& path, std::string_view why);
};

class plugin_host {
 public:
  plugin_host(service_hooks& hooks, plugin_services& services);
  plugin_host(const plugin_host&) = delete;
  plugin_host& operator=(const plugin_host&) = delete;
  ~plugin_host();

  /// Loads it, without running any code of it but its entry. Throws plugin_refused.
  void load(const plugin_settings& wanted);
  /// Starts all that are loaded, in their order. Throws plugin_refused if one does not start; call
  /// stop then, since those before it have started.
  void start(event_loop& loop);
  /// Logs a warning for each setting that its plugin has not read: it may be misspelled.
  void report_unread_settings() const;
  /// Stops and unloads all. One that does not stop in five seconds is left loaded, and named.
  task<> stop();

 private:
  struct plugin;
  static std::vector<std::unique_ptr<plugin>>& left_loaded();
  static task<bool> stop(plugin& one);

  service_hooks& hooks_;
  plugin_services& services_;
  std::vector<std::unique_ptr<plugin>> plugins_;
};

}  // namespace berth
