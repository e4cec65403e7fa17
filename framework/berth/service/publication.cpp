#include <berth/service/publication.hpp>

#include <berth/base/log.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/discovery/async.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/lookup_watch.hpp>
#include <berth/io/offload.hpp>

namespace berth {

using namespace std::chrono_literals;

task<publication> publication::publish(location where, record server, claim_options options) {
  auto owned = co_await async::publish(std::move(where), server, std::move(options));
  publication made(std::move(owned).value("publish"), std::move(server));
  co_await made.list();
  co_return made;
}

task<publication> publication::publish(claim owned, record server) {
  const auto published = co_await async::publish(owned, server);
  published.value("publish");
  publication made(std::move(owned), std::move(server));
  co_await made.list();
  co_return made;
}

// A server that cannot be listed is found by its directory all the same.
task<> publication::list() {
  auto job = [this] {
    try {
      instance_list::enter(claim_.where());
    } catch (const error& refused) {
      log::debug("not listed: {}", refused.what());
    }
  };
  const auto listed = co_await offload(std::move(job));
  (void)listed;
}

task<> publication::keep(std::function<void(const already_running&)> lost) {
  const auto here = co_await current_context();
  std::optional<lookup_watch> watch;
  while (!here.stop.stop_requested()) {
    bool failed = false;
    try {
      if (!watch) watch.emplace(event_loop::of(here), claim_.where());
      const auto whole = co_await async::intact(claim_);
      if (whole && !*whole) co_await publish_again();
      const auto changed = co_await watch->changed();
      if (!changed) co_return;
    } catch (const already_running& other) {
      lost(other);
      co_return;
    } catch (const std::exception& refused) {
      log::error("{}", refused.what());
      watch.reset();
      failed = true;
    }
    if (!failed) continue;
    (void)co_await sleep_for(1s);
  }
}

task<> publication::publish_again() {
  const auto published = co_await async::publish(claim_, server_);
  if (!published) co_return;
  if (times_) ++*times_;
  log::warning("{} had been deleted and is published again", claim_.where().port_file().string());
}

task<> publication::remove() {
  const auto removed = co_await async::remove(claim_);
  removed.value("unpublish");
  auto job = [this] { instance_list::leave(claim_.where()); };
  const auto left = co_await offload(std::move(job));
  (void)left;
}

}  // namespace berth
