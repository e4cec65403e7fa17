#include <berth/discovery/lock_file.hpp>

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include <berth/base/error.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

constexpr auto longest_wait = 10s;

}  // namespace

lock_file::lock_file(const std::filesystem::path& path) : file_(open_file::to_lock(path)) {}

bool lock_file::try_lock_mutation() {
  for (;;) {
    if (!file_.try_lock(lock_range::mutation)) return false;
    const file_status status = file_.status();
    if (!status.regular)
      throw error(fmt::format("{} is not a regular file; remove it", file_.path().string()),
                  std::make_error_code(std::errc::invalid_argument));
    id_ = status.id.inode;
    if (status.linked) return true;
    reopen();
  }
}

// Not F_OFD_SETLKW, which waits for a halted process without end. Who holds the lock is done in
// microseconds: a few turns of the processor first, then short sleeps.
void lock_file::lock_mutation() {
  const auto give_up = std::chrono::steady_clock::now() + longest_wait;
  for (int turn = 0; !try_lock_mutation(); ++turn) {
    if (std::chrono::steady_clock::now() > give_up)
      throw error(
          fmt::format("another process has been changing what {} guards for {} s; it may be "
                      "halted: find it with lsof, and resume or end it",
                      file_.path().string(), longest_wait.count()),
          std::make_error_code(std::errc::timed_out));
    if (turn < 50)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(500us);
  }
}

void lock_file::reopen() { file_ = open_file::to_lock(file_.path()); }

}  // namespace berth
