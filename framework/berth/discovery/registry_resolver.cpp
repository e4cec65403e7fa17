#include <berth/discovery/registry_resolver.hpp>

#include <algorithm>
#include <tuple>

#include <berth/base/log.hpp>
#include <berth/coro/sleep.hpp>

namespace berth {

using namespace std::chrono_literals;

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
    : context_(context), registry_(asked), application_(std::move(application)), looking_(context) {
  looking_.spawn(look());
}

task<> registry_resolver::look() {
  constexpr auto patience = 5s;  // with an answer, and with silence
  bool reached = true;
  for (;;) {
    const auto here = co_await current_context();
    if (here.stop.stop_requested()) co_return;
    auto found = co_await registry_.list(application_, deadline::after(patience));
    if (found && *found != rotation_.servers()) {
      rotation_.update(std::move(*found));
      ++changes_;
      changed_.set();
      changed_.reset();
    }
    if (!found && reached && !found.cancelled())
      log::warning("the registry is not reached: {} {}", found.error().message(),
                   registry_.last_failure());
    reached = found.has_value();
    if (!reached) {
      const auto slept = co_await sleep_for(300ms);
      if (!slept) co_return;
      continue;
    }
    const auto changed = co_await registry_.changed(application_, deadline::after(patience));
    if (changed || changed.timed_out()) continue;
    const auto slept = co_await sleep_for(300ms);
    if (!slept) co_return;
  }
}

std::optional<record> registry_resolver::next() { return rotation_.next(context_.loop->now()); }

void registry_resolver::failed(const record& server) {
  rotation_.failed(server, context_.loop->now());
}

task<result<void>> registry_resolver::changed(deadline until) {
  const auto before = changes_;
  while (changes_ == before) {
    const auto told = co_await changed_.wait(until);
    if (!told) co_return failure(told.error(), told.reason());
    if (closed_) co_return failure::cancelled(stop_reason::shutdown);
  }
  co_return result<void>();
}

task<> registry_resolver::close() {
  closed_ = true;
  looking_.cancel(stop_reason::shutdown);
  co_await looking_.join();
  changed_.set();
}

}  // namespace berth
