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

lookup_watch::lookup_watch(event_loop& loop, const location& where)
    : watch_(loop, nearest_existing(where.directory)) {}

}  // namespace berth
