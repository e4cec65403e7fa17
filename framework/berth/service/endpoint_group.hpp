// The named endpoints of a service, each with a listener on a port that the system picks. On the
// service's thread. Private to service/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <berth/record/record.hpp>
#include <berth/service/connections.hpp>
#include <berth/service/run_end.hpp>
#include <berth/service/service_options.hpp>

namespace berth {

class endpoint_group {
 public:
  endpoint_group();
  ~endpoint_group();

  /// The `rules` of the main port apply to them too, except for the handler and the limit of
  /// connections.
  void bind(event_loop& loop, const std::string& host, const std::vector<endpoint_options>& wanted,
            const connection_rules& rules, std::size_t max_connections);
  /// Adds them to what is published, at the host as it was configured.
  void describe(record& server, const std::string& host) const;

  void accept(const execution_context& context, scope& accepting, run_end& end);
  /// Cancels the remaining connections.
  void cancel() noexcept;
  /// Adds one drain per endpoint, which returns how many connections were left.
  void drain(std::vector<task<std::size_t>>& drains, drain_plan plan);
  /// Waits until no connection is left.
  task<> ended();
  /// Stops listening.
  void close() noexcept;

 private:
  struct named_listener;
  std::vector<std::unique_ptr<named_listener>> all_;
};

}  // namespace berth
