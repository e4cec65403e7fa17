#include <berth/client/lookup_watch.hpp>

namespace berth {
namespace {

std::filesystem::path nearest_existing(std::filesystem::path directory) {
  std::error_code ignored;
  const auto absolute = std::filesystem::absolute(directory, ignored);
  if (!ignored) directory = absolute;
  while (!std::filesystem::is_directory(directory, ignored) && directory.has_relative_path())
    directory = directory.parent_path();
  return directory.empty() ? std::filesystem::path("/") : directory;
}

}  // namespace

lookup_watch::lookup_watch(event_loop& loop, location where)
    : loop_(loop), where_(std::move(where)) {
  attach();
}

// A directory on the path may appear or disappear between the search for the nearest one and the
// watch on it, which would then miss changes below the new one: look again after watching. The old
// watch is removed after the new one is made, so that the loop keeps its inotify instance.
void lookup_watch::attach() {
  for (;;) {
    directory_ = identify(where_.directory);
    watched_ = nearest_existing(where_.directory);
    try {
      watch_ = std::make_unique<change_watch>(loop_, watched_);
    } catch (const error& failed) {
      if (failed.code() == std::errc::no_such_file_or_directory) continue;
      throw;
    }
    if (nearest_existing(where_.directory) == watched_ && identify(where_.directory) == directory_)
      return;
  }
}

// Other files in the directory, logs for instance, may change all the time.
bool lookup_watch::concerns(const std::string& name) const {
  if (!directory_ || name.empty()) return true;
  return name == where_.port_file().filename() || name == where_.lock_file().filename() ||
         name == watched_.filename();  // the directory itself was removed or moved
}

task<result<void>> lookup_watch::changed(deadline until) {
  for (;;) {
    const auto name = co_await watch_->next(until);
    if (name && !concerns(*name)) continue;
    if (!directory_ || identify(where_.directory) != directory_) attach();
    if (!name) co_return name.failure();
    co_return result<void>();
  }
}

}  // namespace berth
