#include <berth/service/publication.hpp>

#include <berth/base/log.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/discovery/async.hpp>
#include <berth/discovery/lookup_watch.hpp>

namespace berth {

using namespace std::chrono_literals;

task<publication> publication::publish(location where, record server) {
  auto owned = co_await async::publish(std::move(where), server);
  co_return publication(std::move(owned).value("publish"), std::move(server));
}

task<publication> publication::publish(claim owned, record server) {
  const auto published = co_await async::publish(owned, server);
  published.value("publish");
  co_return publication(std::move(owned), std::move(server));
}

task<> publication::keep(std::function<void(const error&)> lost) {
  const auto here = co_await current_context();
  while (!here.stop.stop_requested()) {
    bool failed = false;
    try {
      lookup_watch watch(event_loop::of(here), claim_.where());
      const auto whole = co_await async::intact(claim_);
      if (whole && !*whole) co_await publish_again();
      const auto changed = co_await watch.changed();
      if (!changed) co_return;
    } catch (const already_running& other) {
      lost(other);
      co_return;
    } catch (const std::exception& refused) {
      log::error("{}", refused.what());
      failed = true;
    }
    if (!failed) continue;
    (void)co_await sleep_for(1s);
  }
}

task<> publication::publish_again() {
  const auto published = co_await async::publish(claim_, server_);
  if (published)
    log::warning("{} had been deleted and is published again", claim_.where().port_file().string());
}

task<> publication::remove() {
  const auto removed = co_await async::remove(claim_);
  removed.value("unpublish");
}

}  // namespace berth
