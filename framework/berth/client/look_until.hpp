// Waiting for what a look-up finds. A caller that waits looks, sleeps until something changed, and
// looks again; written by hand, such a loop loses a change or turns without a pause. These two are
// the only such loops here. A watch is anything with `task<result<void>> changed(deadline)`:
// lookup_watch for the file system, registry_watch for a registry. Construct it before the first
// look, or a change in between is missed. On the loop's thread; a stop takes effect at once.
//
//   lookup_watch watch(event_loop::of(here), location);
//   const auto look = [&] { return async::read_live(location); };
//   const auto is_live = [](const result<record>& server) { return server.has_value(); };
//   const auto server = co_await look_until(watch, look, is_live, until);
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <berth/base/exception_message.hpp>
#include <berth/base/result.hpp>
#include <berth/coro/context.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/task.hpp>

namespace berth {

/// Calls `look`, which returns a task<result<T>>, until `holds` is true of its result, and returns
/// that: at once, whenever `watch` reports a change, and at least once per `interval`, for changes
/// that no watch reports. Fails as `look` fails, unless that found nothing (absent); with
/// `timed_out` at the deadline or `cancelled`. The watch must outlive the task, and so must what
/// the functions refer to.
template <typename Watch, typename Look, typename Predicate>
std::invoke_result_t<Look&> look_until(
    Watch& watch, Look look, Predicate holds, deadline until = deadline::never(),
    std::chrono::nanoseconds interval = std::chrono::nanoseconds::max()) {
  const auto here = co_await current_context();
  for (;;) {
    auto seen = co_await look();
    if (holds(std::as_const(seen)) || !(seen || seen.absent())) co_return seen;
    const auto look_again = deadline::after(here.loop->now(), interval);
    const auto changed = co_await watch.changed(std::min(until, look_again));
    if (!changed && !changed.timed_out()) co_return changed.failure();
    if (until.passed(here.loop->now())) co_return failure::cancelled(stop_reason::deadline);
  }
}

/// How long to pause after a failed look: twice as long after each one, up to the longest.
struct retry_pauses {
  std::chrono::nanoseconds shortest;
  std::chrono::nanoseconds longest;
};

/// Looks until it is stopped. `look` returns a task with the longest time until the next look, or
/// nullopt if there is nothing to look for any more. An exception from `look` or `make_watch` goes
/// to `report`, once per text until a look succeeds; after a pause, a new watch is made.
template <typename MakeWatch, typename Look, typename Report>
task<> keep_looking(MakeWatch make_watch, Look look, Report report, retry_pauses pauses) {
  const auto here = co_await current_context();
  std::optional<std::invoke_result_t<MakeWatch&>> watch;
  std::string reported;
  auto pause = pauses.shortest;
  while (!here.stop.stop_requested()) {
    bool watching = false;
    try {
      if (!watch) watch.emplace(make_watch());
      const std::optional<std::chrono::nanoseconds> interval = co_await look();
      if (!interval) co_return;
      pause = pauses.shortest;
      reported.clear();
      const auto changed = co_await watch->changed(deadline::after(here.loop->now(), *interval));
      watching = changed || changed.timed_out();
    } catch (...) {
      auto message = exception_message();
      if (message != reported && !here.stop.stop_requested()) report(message);
      reported = std::move(message);
    }
    if (watching) continue;
    watch.reset();
    const auto slept = co_await sleep_for(pause);
    if (!slept) co_return;
    pause = std::min(2 * pause, pauses.longest);
  }
}

}  // namespace berth
