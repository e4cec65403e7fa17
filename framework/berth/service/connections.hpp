// The connections that one loop of a service serves: accepts them while there is room, runs the
// handler for each, and lets them end when the service stops. What a handler throws ends its
// connection and is logged. What exceeds the room waits in the backlog. On the loop's thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

#include <berth/coro/event.hpp>
#include <berth/coro/scope.hpp>
#include <berth/io/tcp.hpp>
#include <berth/service/activity.hpp>
#include <berth/service/hooks.hpp>

namespace berth {

using connection_handler = std::function<task<>(tcp_stream)>;

/// When to stop what.
struct drain_plan {
  std::chrono::nanoseconds quiet;  ///< no new connection for so long: nobody is on the way
  deadline soft;                   ///< until then connections may end by themselves
  deadline hard;                   ///< until then cancelled ones must have ended
};

/// What plugins may read of a service. Any thread.
struct service_counters {
  std::atomic<std::uint64_t> connections{0};
  stream_traffic traffic;
  std::atomic<std::uint64_t> publishes{0};
  std::atomic<std::uint64_t> drains{0};
};

/// What the loops of one service have in common.
struct connection_rules {
  connection_handler handler;
  std::size_t most;  ///< at once, on one loop
  service_hooks* hooks;
  activity* all;
  service_counters* counters;
};

class connections {
 public:
  connections(const execution_context& context, const connection_rules& rules);

  /// Accepts until it is stopped.
  task<> accept_from(tcp_listener& listener);
  /// Accepts who is on its way, closes the listener and waits for all to end: by themselves, then
  /// cancelled. Returns how many were left at the end of the plan.
  task<std::size_t> drain(tcp_listener& listener, drain_plan plan);
  /// Cancels those that are left.
  void cancel() noexcept { handlers_.cancel(stop_reason::shutdown); }

 private:
  task<> accept_last(tcp_listener& listener, drain_plan plan);
  task<bool> accept_one(tcp_listener& listener, deadline until);
  task<> serve(tcp_stream connection);

  const connection_rules& rules_;
  scope handlers_;
  std::size_t counted_ = 0;
  event room_;
  event idle_;
};

}  // namespace berth
