// The connections of a service: accepts them while there is room, runs the handler for each, and
// lets them end when the service stops. What a handler throws ends its connection and is logged.
// What exceeds the room waits in the backlog. On the loop's thread.
#pragma once

#include <cstddef>
#include <functional>

#include <berth/coro/event.hpp>
#include <berth/coro/scope.hpp>
#include <berth/io/tcp.hpp>
#include <berth/service/hooks.hpp>

namespace berth {

using connection_handler = std::function<task<>(tcp_stream)>;

class connections {
 public:
  connections(const execution_context& context, connection_handler handler, std::size_t most,
              service_hooks& hooks);

  /// Accepts until it is stopped.
  task<> accept_from(tcp_listener& listener);
  /// Accepts what is on its way, until nothing has come for `quiet` or `until` has passed.
  task<> accept_last(tcp_listener& listener, std::chrono::nanoseconds quiet, deadline until);
  /// Waits for all to end: by themselves until `soft`, then cancelled. Returns how many were left
  /// at `hard`.
  task<std::size_t> drain(deadline soft, deadline hard);
  /// Cancels those that are left.
  void cancel() noexcept { handlers_.cancel(stop_reason::shutdown); }

  std::size_t active() const noexcept { return handlers_.running(); }
  /// Set while there is one at least.
  event& busy() noexcept { return busy_; }
  /// Set while there is none.
  event& idle() noexcept { return idle_; }

 private:
  task<bool> accept_one(tcp_listener& listener, deadline until);
  task<> serve(tcp_stream connection);

  connection_handler handler_;
  std::size_t most_;
  service_hooks& hooks_;
  scope handlers_;
  std::size_t counted_ = 0;
  event room_;
  event busy_;
  event idle_;
};

}  // namespace berth
