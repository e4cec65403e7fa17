// Where a service listens: its port, by all its threads, and its named endpoints.
#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/discovery/async.hpp>
#include <berth/io/resolve.hpp>
#include <berth/service/endpoint_listener.hpp>
#include <berth/service/service.hpp>

namespace berth {

void service::listen(std::string name, connection_handler handler, std::string scheme) {
  if (!is_plain_name(name))
    throw invalid_value(fmt::format("\"{}\" is no name for an endpoint", name));
  auto made = std::make_unique<endpoint_listener>();
  made->name = std::move(name);
  made->scheme = std::move(scheme);
  made->handler = std::move(handler);
  endpoints_.push_back(std::move(made));
}

task<tcp_listener> service::bind() {
  if (listening_) {
    auto listener = listen_on_given(*listening_);
    co_return listener;
  }
  const endpoint wanted{settings_.host, static_cast<std::uint16_t>(settings_.port)};
  const auto addresses = co_await resolve(wanted);
  if (!addresses || addresses->empty())
    throw error(addresses.error(), "find the address of", settings_.host);
  std::optional<error> failed;
  try {
    auto listener = listen_on(addresses->front());
    co_return listener;
  } catch (const error& refused) {
    failed = refused;
  }
  // A port that is taken is taken by ourselves, more often than not.
  const auto other = co_await async::read_live(where_);
  if (other && *other) throw already_running(where_, **other);
  throw *failed;
}

// The port is the first listener's, whether it was asked for or picked; the others share it. Who
// listens there already and shares it too would not refuse us: that nobody does is seen before.
tcp_listener service::listen_on(const endpoint& at) {
  event_loop& loop = *loop_.load();
  listen_options options;
  options.share_port = threads_ > 1;
  if (options.share_port && at.port != 0) check_port_is_free(loop, at);
  tcp_listener first(loop, at, options);
  make_rules(loop);
  while (workers_.size() + 1 < threads_)
    workers_.push_back(std::make_unique<worker>(loop, first.bound(), *rules_));
  listen_for_endpoints(first.bound().host);
  return first;
}

// The address is the socket's, whatever was configured.
tcp_listener service::listen_on_given(int socket) {
  if (threads_ > 1)
    throw invalid_value("a listening socket that a plugin gives is served by one thread");
  tcp_listener first(*loop_.load(), socket);
  settings_.host = first.bound().host;
  make_rules(*loop_.load());
  listen_for_endpoints(first.bound().host);
  return first;
}

void service::make_rules(event_loop& loop) {
  all_ = std::make_unique<activity>(loop);
  const auto most = static_cast<std::size_t>(settings_.max_connections);
  rules_.emplace(connection_rules{handler_, std::max<std::size_t>(1, most / threads_), &hooks_,
                                  all_.get(), &counters_});
}

void service::listen_for_endpoints(const std::string& host) {
  for (auto& each : endpoints_) {
    each->listener.emplace(*loop_.load(), endpoint(host, 0));
    each->rules.emplace(connection_rules{each->handler,
                                         static_cast<std::size_t>(settings_.max_connections),
                                         &hooks_, all_.get(), &counters_});
  }
}

}  // namespace berth
