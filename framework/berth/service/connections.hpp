// The connections that one loop of a service serves. Accepts them while there is room and the
// process has descriptors left, runs the handler for each, and drains them when the service stops.
// Any exception from a handler ends its connection and is logged. Further connections wait in the
// backlog. On the loop's thread.
#pragma once

#include <atomic>
#include <cstddef>

#include <berth/base/intrusive_list.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/scope.hpp>
#include <berth/io/tcp.hpp>
#include <berth/plugin/hooks.hpp>
#include <berth/service/activity.hpp>
#include <berth/service/connection_handler.hpp>

namespace berth {

/// The deadlines of a drain.
struct drain_plan {
  std::chrono::nanoseconds quiet;  ///< no new connection for so long: nobody is on the way
  deadline idle;                   ///< from then on, connections without a request are ended
  deadline soft;                   ///< until then connections may end by themselves
  deadline hard;                   ///< until then cancelled ones must have ended
};

/// The counters of a service, which plugins may read. Thread-safe.
struct service_counters {
  std::atomic<std::uint64_t> connections{0};
  stream_traffic traffic;
  std::atomic<std::uint64_t> publishes{0};
  std::atomic<std::uint64_t> drains{0};
};

/// The rules that the loops of one service share.
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
  /// Accepts the clients on their way, closes the listener and waits until all connections have
  /// ended: by themselves at first, then cancelled. Returns how many were left at the end of the
  /// plan.
  task<std::size_t> drain(tcp_listener& listener, drain_plan plan);
  /// Waits until all have ended, however long that takes.
  task<> ended();
  /// Cancels the remaining connections.
  void cancel() noexcept { handlers_.cancel(stop_reason::shutdown); }

 private:
  class counted;

  /// A connection whose handler runs.
  struct open_connection : list_node {
    open_connection(scope& running, const tcp_stream& connection)
        : handler(running), watch(connection) {}
    /// Cancels the handler if the connection was idle at the last call, is idle now, and has
    /// received nothing in between.
    void end_if_idle() const noexcept;

    scope& handler;
    stream_watch watch;
    mutable bool was_idle = false;
    mutable std::uint64_t arrivals = 0;
  };

  task<> accept_last(tcp_listener& listener, drain_plan plan);
  task<bool> accept_one(tcp_listener& listener, deadline until);
  task<bool> have_room(deadline until);
  task<bool> have_descriptors(deadline until);
  void spawn(tcp_stream connection);
  task<> serve(tcp_stream connection);
  task<> handle(tcp_stream connection);
  task<bool> end_by_themselves(tcp_listener& listener, drain_plan plan);
  task<> end_idle(drain_plan plan);

  const connection_rules& rules_;
  event_loop& loop_;
  scope handlers_;
  intrusive_list<open_connection> open_;
  std::size_t counted_ = 0;
  event room_;
  event one_ended_;
  event idle_;
  const std::size_t spare_;  // descriptors to leave for the rest of the process
  std::size_t accepts_before_look_ = 0;
  bool told_ = false;  // whether the shortage of descriptors was logged
};

}  // namespace berth
