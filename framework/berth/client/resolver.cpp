#include <berth/client/resolver.hpp>

#include <berth/base/log.hpp>
#include <berth/client/async.hpp>
#include <berth/client/look_until.hpp>
#include <berth/client/lookup_watch.hpp>

namespace berth {

using namespace std::chrono_literals;

resolver::resolver(const execution_context& context, location where,
                   const liveness_strategy& strategy, client_hooks* hooks)
    : resolver_base(context), location_(std::move(where)), strategy_(strategy), hooks_(hooks) {
  begin(keep_current());
}

task<> resolver::keep_current() {
  constexpr retry_pauses pauses{250ms, 250ms};
  const auto here = co_await current_context();
  const auto make_watch = [this, &here] { return lookup_watch(event_loop::of(here), location_); };
  const auto look_once = [this] { return look(); };
  const auto report = [](const std::string& refusal) { log::warning("{}", refusal); };
  co_await keep_looking(make_watch, look_once, report, pauses);
}

// Returns after how long to look again at the latest, since no watch reports a killed server.
task<std::optional<std::chrono::nanoseconds>> resolver::look() {
  if (hooks_) co_await hooks_->resolving.fire(location_);
  auto found = co_await async::examine(location_, strategy_);
  if (!found && !found.absent()) co_return std::nullopt;
  std::optional<record> server;
  if (found && !found->stale()) server = std::move(found->server);
  co_await see(std::move(server));
  co_return std::chrono::nanoseconds(250ms);
}

task<> resolver::see(std::optional<record> server) {
  if (server == current_) co_return;
  current_ = std::move(server);
  report_change();
  if (!hooks_) co_return;
  const auto seen = current_;  // a hook may wait while it changes again
  co_await hooks_->resolved.fire(seen);
}

task<result<record>> resolver::changed(deadline until) {
  const auto change = co_await wait_for_change(until);
  if (!change) co_return change.failure();
  if (!current_) co_return failure::absent();
  co_return *current_;
}

task<result<record>> resolver::live(deadline until) {
  while (!current_) {
    const auto change = co_await wait_for_change(until);
    if (!change) co_return change.failure();
  }
  co_return *current_;
}

}  // namespace berth
