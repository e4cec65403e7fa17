#include <berth/service/publication.hpp>

#include <filesystem>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <berth/base/log.hpp>
#include <berth/client/async.hpp>
#include <berth/client/look_until.hpp>
#include <berth/client/lookup_watch.hpp>
#include <berth/coro/sleep.hpp>

namespace berth {

using namespace std::chrono_literals;

namespace {

/// How often a successor tries to take the lock of the server that hands over.
constexpr std::chrono::milliseconds owner_pause = 1s;
/// How often a server makes sure that it is listed, and that its directory has not been moved,
/// which no watch reports. A start at the old place waits for that (see claim::await_owner).
constexpr std::chrono::milliseconds list_pause = 2s;

}  // namespace

task<publication> publication::publish(location where, record server, claim_options options) {
  options.listed = true;
  auto owned = co_await async::publish(std::move(where), server, std::move(options));
  co_return publication(std::move(owned).value("publish"), std::move(server));
}

task<publication> publication::publish(claim owned, record server) {
  const auto published = co_await async::publish(owned, server);
  published.value("publish");
  co_return publication(std::move(owned), std::move(server));
}

// A refused attempt may succeed a moment later: retries with growing pauses, up to one second.
task<> publication::keep(lost_callback lost) {
  constexpr retry_pauses pauses{20ms, 1s};
  const auto here = co_await current_context();
  const auto make_watch = [this, &here] {
    return lookup_watch(event_loop::of(here), claim_.where());
  };
  const auto look = [this, &lost] { return restore(lost); };
  const auto report = [](const std::string& refusal) { log::error("{}", refusal); };
  co_await keep_looking(make_watch, look, report, pauses);
}

/// Returns after how long to look again at the latest; nullopt if there is nothing left to keep.
task<std::optional<std::chrono::nanoseconds>> publication::restore(const lost_callback& lost) {
  try {
    co_await check();
    co_return std::chrono::nanoseconds(claim_.waits_for_owner() ? owner_pause : list_pause);
  } catch (const already_running& other) {
    lost(other, &other);
  } catch (const workspace_gone& gone) {
    lost(gone, nullptr);
  }
  co_return std::nullopt;
}

/// Repeats until the claim is intact: the watch of a removed directory does not report that the new
/// one was deleted as well.
task<> publication::check() {
  for (;;) {
    const auto whole = co_await async::intact(claim_);
    if (!whole || *whole) co_return;
    co_await let_removal_end();
    co_await publish_again();
  }
}

// Removing a directory recursively would fail if a file came back in between, and after the
// workspace was removed nobody expects the directory to be there again.
task<> publication::let_removal_end() {
  (void)co_await sleep_for(20ms);
  std::error_code ignored;
  if (std::filesystem::exists(claim_.where().directory, ignored)) co_return;
  (void)co_await sleep_for(60ms);
}

// A watch is for one path: the error ends it, and the next one is for the new path.
task<> publication::publish_again() {
  const auto before = claim_.where().directory;
  const auto published = co_await async::publish(claim_, server_);
  if (!published) co_return;
  if (times_) ++*times_;
  if (claim_.where().directory != before)
    throw error(fmt::format("{} was moved: its server is found in {} from now on", before.string(),
                            claim_.where().directory.string()),
                std::make_error_code(std::errc::no_such_file_or_directory));
  log::warning("{} had been deleted and is published again", claim_.where().port_file().string());
}

task<> publication::remove() {
  const auto removed = co_await async::remove(claim_);
  removed.value("unpublish");
}

}  // namespace berth
