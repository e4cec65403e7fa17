#include <berth/discovery/resolver.hpp>

#include <berth/base/log.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/discovery/async.hpp>
#include <berth/discovery/lookup_watch.hpp>

namespace berth {

using namespace std::chrono_literals;

resolver::resolver(const execution_context& context, location where,
                   const liveness_strategy& strategy, client_hooks* hooks)
    : where_(std::move(where)), strategy_(strategy), hooks_(hooks), looking_(context) {
  looking_.spawn(look());
}

task<> resolver::look() {
  constexpr auto look_again = 250ms;
  const auto here = co_await current_context();
  std::optional<lookup_watch> watch;
  while (!here.stop.stop_requested()) {
    bool failed = false;
    try {
      if (!watch) watch.emplace(event_loop::of(here), where_);
      if (hooks_) co_await hooks_->resolving.fire(where_);
      auto found = co_await async::examine(where_, strategy_);
      if (!found) break;
      std::optional<record> now;
      if (*found && !(*found)->stale()) now = std::move((*found)->server);
      co_await see(std::move(now));
      const auto changed = co_await watch->changed(deadline::after(here.loop->now(), look_again));
      if (changed.cancelled()) break;
    } catch (const error& unreadable) {
      log::warning("{}", unreadable.what());
      watch.reset();
      failed = true;
    }
    if (!failed) continue;
    const auto slept = co_await sleep_for(look_again);
    if (!slept) break;
  }
}

task<> resolver::see(std::optional<record> now) {
  if (now == current_) co_return;
  current_ = std::move(now);
  ++changes_;
  changed_.set();
  changed_.reset();
  if (!hooks_) co_return;
  const auto seen = current_;  // a hook may wait while it changes again
  co_await hooks_->resolved.fire(seen);
}

task<result<std::optional<record>>> resolver::changed(deadline until) {
  const auto before = changes_;
  while (changes_ == before) {
    const auto told = co_await changed_.wait(until);
    if (!told) co_return failure(told.error(), told.reason());
    if (closed_) co_return failure::cancelled(stop_reason::shutdown);
  }
  co_return current_;
}

task<result<record>> resolver::live(deadline until) {
  while (!current_) {
    const auto next = co_await changed(until);
    if (!next) co_return failure(next.error(), next.reason());
  }
  co_return *current_;
}

task<> resolver::close() {
  closed_ = true;
  looking_.cancel(stop_reason::shutdown);
  co_await looking_.join();
  changed_.set();
}

}  // namespace berth
