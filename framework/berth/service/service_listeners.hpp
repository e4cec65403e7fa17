// Everything that accepts connections for a service: its main port, on all its threads, and its
// named endpoints. Binds, accepts and drains them together. On the service's thread. Private to
// service/.
#pragma once

#include <optional>

#include <berth/config/settings.hpp>
#include <berth/service/endpoint_group.hpp>
#include <berth/service/worker_group.hpp>
#include <berth/store/location.hpp>

namespace berth {

class service_listeners {
 public:
  service_listeners(event_loop& loop, const service_options& options, service_hooks& hooks)
      : loop_(loop), options_(options), hooks_(hooks), activity_(loop) {}

  /// Binds the address of `settings`, or takes the listening socket `given`, whose address
  /// `settings` gets then. Throws already_running if a live server at `place` has the port, and
  /// berth::error.
  task<> bind(server_settings& settings, const location& place, std::optional<int> given,
              run_end& end);
  const endpoint& bound() const { return listener_->bound(); }
  void describe(record& server, const std::string& host) const {
    endpoints_.describe(server, host);
  }

  void accept(const execution_context& context, scope& accepting, run_end& end);
  /// Cancels the remaining connections.
  void cancel() noexcept;
  /// Still accepts the clients on their way; returns how many connections were left at the end.
  task<std::size_t> drain(drain_plan plan);
  /// Waits until no connection is left.
  task<> ended();

  /// Stops listening.
  void close() noexcept;

  activity& connected() noexcept { return activity_; }
  worker_group& workers() noexcept { return workers_; }
  const worker_group& workers() const noexcept { return workers_; }
  service_counters& counters() noexcept { return counters_; }

 private:
  void listen(const endpoint& at, const server_settings& settings, run_end& end);
  void listen_on_given(int socket, server_settings& settings);
  void make_rules(const server_settings& settings);
  void bind_endpoints(const server_settings& settings);

  event_loop& loop_;
  const service_options& options_;
  service_hooks& hooks_;
  activity activity_;
  service_counters counters_;
  std::optional<connection_rules> rules_;
  std::optional<tcp_listener> listener_;
  endpoint_group endpoints_;
  worker_group workers_;
  std::optional<connections> open_;  // of the main port, while it accepts and drains
};

}  // namespace berth
