#include <berth/base/error.hpp>
#include <berth/discovery/start_log.hpp>

namespace berth {

// A child gets its log by path: see started_command_windows.cpp.
unique_handle start_log::open() const { return {}; }

void start_log::check() const {}

// A file that a program has open can be neither renamed nor emptied here.
bool start_log::roll() const {
  if (size() <= max_size) return true;
  std::error_code failed;
  std::filesystem::rename(path, path.string() + ".1", failed);
  return !failed;
}

}  // namespace berth
