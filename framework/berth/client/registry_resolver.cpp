#include <berth/client/registry_resolver.hpp>

#include <algorithm>
#include <tuple>

#include <berth/base/log.hpp>
#include <berth/client/look_until.hpp>
#include <berth/client/registry_watch.hpp>

namespace berth {

using namespace std::chrono_literals;

namespace {

constexpr auto patience = 5s;  // for an answer, and between two looks

}  // namespace

void server_rotation::update(std::vector<record> servers) {
  std::vector<standing> standings;
  for (const auto& each : servers) {
    const auto known = std::find_if(standings_.begin(), standings_.end(), [&](const standing& one) {
      return one.instance_id == each.instance_id;
    });
    standings.push_back(known == standings_.end() ? standing{each.instance_id, 0, std::nullopt}
                                                  : *known);
  }
  servers_ = std::move(servers);
  standings_ = std::move(standings);
}

std::optional<record> server_rotation::next(steady_time now) {
  if (servers_.empty()) return std::nullopt;
  const auto rank = [now](const standing& one) {
    const bool failing = one.failed && now - *one.failed < forgotten_after;
    return std::tuple(failing ? *one.failed : steady_time::min(), one.turn);
  };
  const auto chosen =
      std::min_element(standings_.begin(), standings_.end(),
                       [&](const standing& a, const standing& b) { return rank(a) < rank(b); });
  chosen->turn = ++turns_;
  return servers_[static_cast<std::size_t>(chosen - standings_.begin())];
}

void server_rotation::failed(const record& server, steady_time now) {
  for (auto& each : standings_)
    if (each.instance_id == server.instance_id) each.failed = now;
}

registry_resolver::registry_resolver(const execution_context& context, registry& asked,
                                     std::string application)
    : resolver_base(context),
      context_(context),
      registry_(asked),
      application_(std::move(application)) {
  begin(keep_current());
}

task<> registry_resolver::keep_current() {
  constexpr retry_pauses pauses{300ms, 300ms};
  const auto make_watch = [this] { return registry_watch(registry_, application_); };
  const auto look_once = [this] { return look(); };
  const auto report = [this](const std::string& refusal) {
    if (std::exchange(reached_, false)) log::warning("cannot reach the registry: {}", refusal);
  };
  co_await keep_looking(make_watch, look_once, report, pauses);
}

task<std::optional<std::chrono::nanoseconds>> registry_resolver::look() {
  auto servers = co_await registry_.list(application_, deadline::after(patience));
  if (!servers)
    throw berth::error(servers.error().message() + " " + registry_.last_failure(), servers.error());
  reached_ = true;
  if (*servers != rotation_.servers()) {
    rotation_.update(std::move(*servers));
    report_change();
  }
  co_return std::chrono::nanoseconds(patience);
}

std::optional<record> registry_resolver::next() { return rotation_.next(context_.loop->now()); }

void registry_resolver::failed(const record& server) {
  rotation_.failed(server, context_.loop->now());
}

}  // namespace berth
