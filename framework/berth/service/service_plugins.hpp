// The plugins of a run, and the service as they see it. Private to service/.
#pragma once

#include <optional>

#include <berth/plugin/plugin_host.hpp>
#include <berth/service/service_listeners.hpp>

namespace berth {

class service_plugins final : private plugin_services {
 public:
  service_plugins(const location& place, service_listeners& listeners, service_hooks& hooks)
      : place_(place), listeners_(listeners), hooks_(hooks), host_(hooks, *this) {}

  /// Throws plugin_refused; the caller must then stop those that have started.
  void start(event_loop& loop, const std::vector<plugin_settings>& configured,
             const std::vector<plugin_settings>& wanted);
  void report_unread_settings() const { host_.report_unread_settings(); }
  task<> stop() { return host_.stop(); }

  /// The listening socket that a plugin gave the service.
  std::optional<int> listener() const noexcept { return listener_; }

 private:
  const location& where() const noexcept override { return place_; }
  void count(berth_counters& into) const noexcept override;
  bool use_listener(int descriptor) noexcept override;

  const location& place_;
  service_listeners& listeners_;
  service_hooks& hooks_;
  plugin_host host_;
  std::optional<int> listener_;
};

}  // namespace berth
