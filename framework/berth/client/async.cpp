#include <berth/client/async.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <unordered_set>

#include <berth/client/look_until.hpp>
#include <berth/client/lookup_watch.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/offload.hpp>
#include <berth/liveness/process.hpp>
#include <berth/store/volume.hpp>

namespace berth::async {
namespace {

using namespace std::chrono_literals;

/// Directories known to be local: a cached read there is safe on a loop.
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

/// Runs `look` from memory if that is possible, else on the thread pool.
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

/// What a look-up found; absent if that is nothing.
template <typename T>
result<T> found_or_absent(result<std::optional<T>> found) {
  if (!found) return found.failure();
  if (!*found) return failure::absent();
  return std::move(**found);
}

bool is_present(const result<record>& server) { return server.has_value(); }
bool is_absent(const result<record>& server) { return server.absent(); }

}  // namespace

task<result<record>> read(location where) {
  auto look = [&where](read_mode how) { return berth::read(where, how); };
  auto found = co_await look_up(where.directory, look);
  co_return found_or_absent(std::move(found));
}

task<result<finding>> examine(location where, const liveness_strategy& strategy) {
  auto look = [&where, &strategy](read_mode how) { return berth::examine(where, strategy, how); };
  auto found = co_await look_up(where.directory, look);
  co_return found_or_absent(std::move(found));
}

task<result<record>> read_live(location where, const liveness_strategy& strategy) {
  auto look = [&where, &strategy](read_mode how) { return berth::examine(where, strategy, how); };
  auto found = co_await look_up(where.directory, look);
  if (!found) co_return found.failure();
  if (!*found) co_return failure::absent();
  if (!(*found)->stale()) co_return std::move((*found)->server);
  auto discard = [&where, &strategy] { discard_stale(where, strategy); };
  const auto discarded = co_await offload(std::move(discard));
  if (!discarded) co_return discarded.failure();
  co_return failure::absent();
}

task<result<record>> wait_live(location where, deadline until, const liveness_strategy& strategy) {
  const auto here = co_await current_context();
  lookup_watch watch(event_loop::of(here), where);
  const auto look = [&where, &strategy] { return async::read_live(where, strategy); };
  auto server = co_await look_until(watch, look, is_present, until);
  co_return server;
}

// A server that is killed leaves its directory as it was: look again from time to time.
task<result<void>> wait_gone(location where, deadline until, const liveness_strategy& strategy) {
  const auto here = co_await current_context();
  lookup_watch watch(event_loop::of(here), where);
  const auto look = [&where, &strategy] { return async::read_live(where, strategy); };
  const auto gone = co_await look_until(watch, look, is_absent, until, 50ms);
  if (!gone.absent()) co_return gone.failure();
  co_return result<void>();
}

// There is no portable notification of the end of a process that is not a child, so this polls.
task<result<void>> wait_ended(record server, deadline until) {
  const auto here = co_await current_context();
  for (;;) {
    const process_status now = status_of_process(server.pid);
    if (now.state != process_state::running || differs(server.origin.start_time, now.start_time))
      co_return result<void>();
    const auto soon = deadline::after(here.loop->now(), std::chrono::milliseconds(5));
    const auto slept = co_await sleep_until(std::min(soon, until));
    if (!slept) co_return slept.failure();
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

task<result<bool>> intact(claim& owned) {
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
