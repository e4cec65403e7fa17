#include <berth/service/service_listeners.hpp>

#include <algorithm>
#include <numeric>

#include <berth/base/error.hpp>
#include <berth/client/async.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/io/resolve.hpp>

namespace berth {

task<> service_listeners::bind(server_settings& settings, const location& place,
                               std::optional<int> given, run_end& end) {
  if (given) {
    listen_on_given(*given, settings);
    co_return;
  }
  const endpoint wanted{settings.host, static_cast<std::uint16_t>(settings.port)};
  const auto addresses = co_await resolve(wanted);
  if (!addresses || addresses->empty())
    throw error(addresses.error(), "find the address of", settings.host);
  std::optional<error> refused;
  try {
    listen(addresses->front(), settings, end);
    co_return;
  } catch (const error& failure) {
    refused = failure;
  }
  // A port in use is most often our own: another server of this directory has it.
  const auto other = co_await async::read_live(place);
  if (other) throw already_running(place, *other);
  throw *refused;
}

// The first listener's port, asked for or picked, is shared by the workers. A program that listens
// there already and shares its port as well would not refuse us, so that is checked before.
void service_listeners::listen(const endpoint& at, const server_settings& settings, run_end& end) {
  listen_options options;
  options.share_port = options_.threads > 1;
  if (options.share_port && at.port != 0) check_port_is_free(loop_, at);
  tcp_listener first(loop_, at, options);
  listener_.emplace(std::move(first));
  make_rules(settings);
  workers_.bind(loop_, bound(), *rules_, options_.threads - 1, end);
  bind_endpoints(settings);
}

void service_listeners::listen_on_given(int socket, server_settings& settings) {
  if (options_.threads > 1)
    throw invalid_value("a listening socket that a plugin gives is served by one thread");
  tcp_listener first(loop_, socket);
  listener_.emplace(std::move(first));
  settings.host = bound().host;
  make_rules(settings);
  bind_endpoints(settings);
}

void service_listeners::make_rules(const server_settings& settings) {
  const auto most = static_cast<std::size_t>(settings.max_connections);
  rules_.emplace(connection_rules{options_.handler,
                                  std::max<std::size_t>(1, most / options_.threads), &hooks_,
                                  &activity_, &counters_});
}

void service_listeners::bind_endpoints(const server_settings& settings) {
  endpoints_.bind(loop_, bound().host, options_.endpoints, *rules_,
                  static_cast<std::size_t>(settings.max_connections));
}

void service_listeners::accept(const execution_context& context, scope& accepting, run_end& end) {
  open_.emplace(context, *rules_);
  accepting.spawn(end.essential(open_->accept_from(*listener_)));
  endpoints_.accept(context, accepting, end);
}

void service_listeners::cancel() noexcept {
  if (open_) open_->cancel();
  endpoints_.cancel();
  workers_.cancel();
}

/// Drains all listeners at once, so that each still accepts the clients on their way.
task<std::size_t> service_listeners::drain(drain_plan plan) {
  workers_.drain(plan);
  std::vector<task<std::size_t>> drains;
  drains.push_back(open_->drain(*listener_, plan));
  endpoints_.drain(drains, plan);
  const auto left = co_await when_all(std::move(drains));
  const std::size_t of_workers = co_await workers_.drained();
  co_return std::accumulate(left.begin(), left.end(), of_workers);
}

task<> service_listeners::ended() {
  co_await open_->ended();
  co_await endpoints_.ended();
  open_.reset();
}

void service_listeners::close() noexcept {
  listener_.reset();
  endpoints_.close();
}

}  // namespace berth
