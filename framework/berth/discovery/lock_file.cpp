#include <berth/discovery/lock_file.hpp>

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include <berth/base/error.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

constexpr auto longest_wait = 10s;

/// Which of the files carries the lock, and what it is called.
std::size_t index_of(lock_range range) {
  return file_lock::ranges_share_a_file ? 0 : static_cast<std::size_t>(range);
}

std::filesystem::path path_of(const std::filesystem::path& path, lock_range range) {
  constexpr const char* endings[] = {"", ".mutation", ".starter"};
  std::filesystem::path whole = path;
  return whole += endings[index_of(range)];
}

}  // namespace

lock_file::lock_file(std::filesystem::path path) : path_(std::move(path)) {
  (void)file_of(lock_range::owner);
}

open_file& lock_file::file_of(lock_range range) {
  auto& file = files_[index_of(range)];
  if (!file) file.emplace(open_file::to_lock(path_of(path_, range)));
  return *file;
}

void lock_file::reopen(lock_range range) {
  files_[index_of(range)].reset();
  for (const auto other : {lock_range::owner, lock_range::mutation, lock_range::starter})
    if (index_of(other) == index_of(range)) held_[static_cast<std::size_t>(other)] = false;
  (void)file_of(range);
}

// Where one file carries all locks, who takes the mutation lock has seen that it is still there.
bool lock_file::try_lock(lock_range range) {
  for (;;) {
    bool& held = held_[static_cast<std::size_t>(range)];
    held = held || file_of(range).try_lock(range);
    if (!held) return false;
    if (file_lock::ranges_share_a_file || file_of(range).status().linked) return true;
    reopen(range);
  }
}

void lock_file::unlock(lock_range range) noexcept {
  held_[static_cast<std::size_t>(range)] = false;
  if (auto& file = files_[index_of(range)]) file->unlock(range);
}

bool lock_file::still_there() const { return files_[index_of(lock_range::owner)]->status().linked; }

lock_state lock_file::query(const std::filesystem::path& path, lock_range range) {
  const auto file = open_file::to_read(path_of(path, range));
  return file ? file->query(range) : lock_state::free;
}

bool lock_file::try_lock_mutation() {
  constexpr auto range = lock_range::mutation;
  for (;;) {
    open_file& file = file_of(range);
    if (!file.try_lock(range)) return false;
    const file_status status = file.status();
    if (!status.regular)
      throw error(fmt::format("{} is not a regular file; remove it", file.path().string()),
                  std::make_error_code(std::errc::invalid_argument));
    id_ = status.id.inode;
    if (status.linked) return true;
    reopen(range);
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
                      path_.string(), longest_wait.count()),
          std::make_error_code(std::errc::timed_out));
    if (turn < 50)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(500us);
  }
}

}  // namespace berth
