#include <berth/service/endpoint_group.hpp>

#include <optional>

namespace berth {

struct endpoint_group::named_listener {
  named_listener(event_loop& loop, const std::string& host, const endpoint_options& wanted,
                 connection_rules shared)
      : name(wanted.name),
        scheme(wanted.scheme),
        rules(std::move(shared)),
        listener(loop, endpoint(host, 0)) {}

  std::string name;
  std::string scheme;
  connection_rules rules;
  tcp_listener listener;
  std::optional<connections> open;  // while it accepts and drains
};

endpoint_group::endpoint_group() = default;
endpoint_group::~endpoint_group() = default;

void endpoint_group::bind(event_loop& loop, const std::string& host,
                          const std::vector<endpoint_options>& wanted,
                          const connection_rules& rules, std::size_t max_connections) {
  for (const auto& each : wanted) {
    connection_rules own = rules;
    own.handler = each.handler;
    own.most = max_connections;
    all_.push_back(std::make_unique<named_listener>(loop, host, each, std::move(own)));
  }
}

void endpoint_group::describe(record& server, const std::string& host) const {
  for (const auto& each : all_)
    server.endpoints[each->name] = {host, each->listener.bound().port, each->scheme};
}

void endpoint_group::accept(const execution_context& context, scope& accepting, run_end& end) {
  for (auto& each : all_) {
    each->open.emplace(context, each->rules);
    accepting.spawn(end.essential(each->open->accept_from(each->listener)));
  }
}

void endpoint_group::cancel() noexcept {
  for (auto& each : all_)
    if (each->open) each->open->cancel();
}

void endpoint_group::drain(std::vector<task<std::size_t>>& drains, drain_plan plan) {
  for (auto& each : all_) drains.push_back(each->open->drain(each->listener, plan));
}

task<> endpoint_group::ended() {
  for (auto& each : all_) {
    co_await each->open->ended();
    each->open.reset();
  }
}

void endpoint_group::close() noexcept { all_.clear(); }

}  // namespace berth
