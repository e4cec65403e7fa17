#include <berth/service/service_plugins.hpp>

namespace berth {

void service_plugins::start(event_loop& loop, const std::vector<plugin_settings>& configured,
                            const std::vector<plugin_settings>& wanted) {
  for (const auto& each : configured) host_.load(each);
  for (const auto& each : wanted) host_.load(each);
  host_.start(loop);
}

void service_plugins::count(berth_counters& into) const noexcept {
  const service_counters& counted = listeners_.counters();
  into.connections_opened = counted.connections;
  into.connections_open = listeners_.connected().count();
  into.bytes_received = counted.traffic.received;
  into.bytes_sent = counted.traffic.sent;
  into.publishes = counted.publishes;
  into.drains = counted.drains;
  into.hook_calls = hooks_.statistics.calls;
  into.hook_failures = hooks_.statistics.failures;
  into.hook_nanoseconds = hooks_.statistics.nanoseconds;
}

bool service_plugins::use_listener(int descriptor) noexcept {
  if (listener_ || descriptor < 0) return false;
  listener_ = descriptor;
  return true;
}

}  // namespace berth
