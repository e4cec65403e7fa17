#include <berth/discovery/async.hpp>

#include <algorithm>
#include <mutex>
#include <unordered_set>

#include <berth/coro/sleep.hpp>
#include <berth/discovery/lookup_watch.hpp>
#include <berth/discovery/process.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/offload.hpp>

namespace berth::async {
namespace {

/// Directories that were met and are local: reading there from memory is safe on a loop.
class local_directories {
 public:
  bool contains(const std::filesystem::path& directory) {
    const std::scoped_lock lock(mutex_);
    return known_.contains(directory.native());
  }
  /// Asks the file system; may block.
  void meet(const std::filesystem::path& directory) {
    if (!is_local(directory)) return;
    const std::scoped_lock lock(mutex_);
    if (known_.size() >= most) known_.clear();
    known_.insert(directory.native());
  }

 private:
  static constexpr std::size_t most = 16384;
  std::mutex mutex_;
  std::unordered_set<std::filesystem::path::string_type> known_;
};

local_directories& met() {
  static local_directories directories;
  return directories;
}

/// `look` from memory where that can be done, else on the pool.
template <typename Look>
auto look_up(std::filesystem::path directory, Look look)
    -> task<result<std::invoke_result_t<Look&, read_mode>>> {
  const auto here = co_await current_context();
  if (here.stop.stop_requested()) co_return failure::cancelled(here.stop.reason());
  if (met().contains(directory)) {
    try {
      co_return look(read_mode::cached);
    } catch (const would_block&) {
      // Goes to the pool below.
    }
  }
  auto job = [&look, &directory] {
    met().meet(directory);
    return look(read_mode::may_block);
  };
  auto found = co_await offload(std::move(job));
  co_return found;
}

}  // namespace

task<result<std::optional<record>>> read(location where) {
  auto look = [&where](read_mode how) { return berth::read(where, how); };
  auto found = co_await look_up(where.directory, look);
  co_return found;
}

task<result<std::optional<finding>>> examine(location where, const liveness_strategy& strategy) {
  auto look = [&where, &strategy](read_mode how) { return berth::examine(where, strategy, how); };
  auto found = co_await look_up(where.directory, look);
  co_return found;
}

task<result<std::optional<record>>> read_live(location where, const liveness_strategy& strategy) {
  auto look = [&where, &strategy](read_mode how) { return berth::examine(where, strategy, how); };
  auto found = co_await look_up(where.directory, look);
  if (!found) co_return failure(found.error(), found.reason());
  if (!*found) co_return std::optional<record>();
  if (!(*found)->stale()) co_return std::optional<record>(std::move((*found)->server));
  auto clean = [&where, &strategy] { return berth::read_live(where, strategy); };
  auto now = co_await offload(std::move(clean));
  co_return now;
}

task<result<record>> wait_live(location where, deadline until, const liveness_strategy& strategy) {
  const auto here = co_await current_context();
  lookup_watch watch(event_loop::of(here), where);
  for (;;) {
    auto found = co_await async::read_live(where, strategy);
    if (!found) co_return failure(found.error(), found.reason());
    if (*found) co_return std::move(**found);
    const auto changed = co_await watch.changed(until);
    if (!changed) co_return failure(changed.error(), changed.reason());
  }
}

task<result<void>> wait_gone(location where, deadline until, const liveness_strategy& strategy) {
  const auto here = co_await current_context();
  lookup_watch watch(event_loop::of(here), where);
  for (;;) {
    const auto found = co_await async::read_live(where, strategy);
    if (!found) co_return failure(found.error(), found.reason());
    if (!*found) co_return result<void>();
    // A server that is killed leaves its directory as it was: look again from time to time.
    const auto look_again = deadline::after(here.loop->now(), std::chrono::milliseconds(50));
    const auto changed = co_await watch.changed(std::min(until, look_again));
    if (!changed && changed.cancelled()) co_return failure(changed.error(), changed.reason());
    if (until.passed(here.loop->now())) co_return failure::cancelled(stop_reason::deadline);
  }
}

// No system tells of the end of a process that is not one's child in one and the same way.
task<result<void>> wait_ended(record server, deadline until) {
  const auto here = co_await current_context();
  for (;;) {
    const process_status now = status_of_process(server.pid);
    if (now.state != process_state::running || differs(server.origin.start_time, now.start_time))
      co_return result<void>();
    const auto soon = deadline::after(here.loop->now(), std::chrono::milliseconds(5));
    const auto slept = co_await sleep_until(std::min(soon, until));
    if (!slept) co_return failure(slept.error(), slept.reason());
    if (until.passed(here.loop->now())) co_return failure::cancelled(stop_reason::deadline);
  }
}

task<result<claim>> acquire(location where, claim_options options) {
  auto job = [&where, &options] { return claim(std::move(where), options); };
  auto owned = co_await offload(std::move(job));
  co_return owned;
}

task<result<claim>> publish(location where, record server, claim_options options) {
  auto job = [&where, &server, &options] { return claim(std::move(where), server, options); };
  auto owned = co_await offload(std::move(job));
  co_return owned;
}

task<result<bool>> intact(const claim& owned) {
  auto job = [&owned] { return owned.intact(); };
  const auto whole = co_await offload(std::move(job));
  co_return whole;
}

task<result<void>> publish(claim& owned, record server) {
  auto job = [&owned, &server] { owned.publish(server); };
  const auto published = co_await offload(std::move(job));
  co_return published;
}

task<result<void>> remove(claim& owned) {
  auto job = [&owned] { owned.remove(); };
  const auto removed = co_await offload(std::move(job));
  co_return removed;
}

}  // namespace berth::async
