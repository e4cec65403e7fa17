// A service as its plugins see it, and the plugins. Private to service/.
#pragma once

#include <berth/service/plugin_host.hpp>
#include <berth/service/service.hpp>

namespace berth {

struct service::view_of_plugins final : plugin_services {
  explicit view_of_plugins(service& of) : seen(of), host(of.hooks_, *this) {}

  const location& where() const noexcept override { return seen.where_; }

  void count(berth_counters& into) const noexcept override {
    into.connections_opened = seen.counters_.connections;
    into.connections_open = seen.all_ ? seen.all_->count() : 0;
    into.bytes_received = seen.counters_.traffic.received;
    into.bytes_sent = seen.counters_.traffic.sent;
    into.publishes = seen.counters_.publishes;
    into.drains = seen.counters_.drains;
    into.hook_calls = seen.hooks_.statistics.calls;
    into.hook_failures = seen.hooks_.statistics.failures;
    into.hook_nanoseconds = seen.hooks_.statistics.nanoseconds;
  }

  bool use_listener(int descriptor) noexcept override {
    if (seen.listening_ || descriptor < 0) return false;
    seen.listening_ = descriptor;
    return true;
  }

  service& seen;
  plugin_host host;
};

}  // namespace berth
