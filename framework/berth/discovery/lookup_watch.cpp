#include <berth/discovery/lookup_watch.hpp>

namespace berth {
namespace {

std::filesystem::path nearest_existing(std::filesystem::path directory) {
  std::error_code ignored;
  directory = std::filesystem::absolute(directory);
  while (!std::filesystem::is_directory(directory, ignored) && directory.has_relative_path())
    directory = directory.parent_path();
  return directory;
}

}  // namespace

// A directory on the way may come or go between the look for the nearest one and the watch on it,
// which then would not see what comes below the new one: look again after watching.
lookup_watch::lookup_watch(event_loop& loop, location where) : where_(std::move(where)) {
  for (;;) {
    watched_ = nearest_existing(where_.directory);
    try {
      watch_.emplace(loop, watched_);
    } catch (const error& failed) {
      if (failed.code() == std::errc::no_such_file_or_directory) continue;
      throw;
    }
    if (nearest_existing(where_.directory) == watched_) return;
  }
}

// Other files in the directory, logs for instance, may change all the time.
bool lookup_watch::concerns(const std::string& name) const {
  const bool directory_is_there = watched_ == std::filesystem::absolute(where_.directory);
  if (!directory_is_there || name.empty()) return true;
  return name == where_.port_file().filename() || name == where_.lock_file().filename() ||
         name == watched_.filename();  // the directory itself went
}

task<result<void>> lookup_watch::changed(deadline until) {
  for (;;) {
    const auto name = co_await watch_->next(until);
    if (!name) co_return failure(name.error(), name.reason());
    if (concerns(*name)) co_return result<void>();
  }
}

}  // namespace berth
