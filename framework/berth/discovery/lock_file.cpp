#include <berth/discovery/lock_file.hpp>

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include <berth/base/error.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

/// The index of the file that carries the lock.
std::size_t index_of(lock_range range) {
  return file_lock::ranges_share_a_file ? 0 : static_cast<std::size_t>(range);
}

std::filesystem::path path_of(const std::filesystem::path& path, lock_range range) {
  constexpr const char* endings[] = {"", ".mutation", ".starter"};
  std::filesystem::path whole = path;
  return whole += endings[index_of(range)];
}

// F_OFD_SETLKW would wait for a halted process without end. A holder is done in microseconds, so
// this yields a few times before it sleeps.
template <typename Try>
void wait_until(Try locked, const std::filesystem::path& path, std::chrono::seconds longest) {
  const auto give_up = std::chrono::steady_clock::now() + longest;
  for (int turn = 0; !locked(); ++turn) {
    if (std::chrono::steady_clock::now() > give_up)
      throw error(
          fmt::format("another process has been changing what {} guards for {} s; it may be "
                      "halted: find it with lsof, and resume or end it",
                      path.string(), longest.count()),
          std::make_error_code(std::errc::timed_out));
    if (turn < 50)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(500us);
  }
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

// Opens before it forgets the locks: without a directory the open throws, and they are still held.
void lock_file::reopen(lock_range range) {
  files_[index_of(range)] = open_file::to_lock(path_of(path_, range));
  for (const auto other : {lock_range::owner, lock_range::mutation, lock_range::starter})
    if (index_of(other) == index_of(range)) held_[static_cast<std::size_t>(other)] = false;
}

// A lock file that others may read (it came with a git clone, say) can be read-locked by any of
// them, for ever. It is then replaced by one that they cannot open, which is safe because a lock
// file may be deleted at any moment.
bool lock_file::replace_if_strangers_lock(lock_range range) {
  open_file& file = file_of(range);
  if (!file.is_read_locked(range)) return false;
  const file_status status = file.status();
  constexpr std::uint32_t readable_by_others = 0044;
  if (!(status.mode & readable_by_others)) return false;
  if (identify(file.path()) == status.id) remove_file(file.path());
  reopen(range);
  return true;
}

// If one file carries all locks, taking the mutation lock has checked that it still has its name.
bool lock_file::try_lock(lock_range range) {
  for (;;) {
    bool& held = held_[static_cast<std::size_t>(range)];
    held = held || file_of(range).try_lock(range);
    if (!held && replace_if_strangers_lock(range)) continue;
    if (!held) return false;
    if (file_lock::ranges_share_a_file) return true;
    const file_status status = file_of(range).status();
    ids_[index_of(range)] = status.id;
    if (status.linked) return true;
    reopen(range);
  }
}

void lock_file::unlock(lock_range range) noexcept {
  held_[static_cast<std::size_t>(range)] = false;
  if (auto& file = files_[index_of(range)]) file->unlock(range);
}

bool lock_file::still_there() const {
  for (std::size_t i = 0; i <= index_of(lock_range::mutation); ++i)
    if (identify(path_of(path_, static_cast<lock_range>(i))) != ids_[i]) return false;
  return true;
}

void lock_file::refresh() {
  for (std::size_t i = 0; i <= index_of(lock_range::mutation); ++i) {
    const auto range = static_cast<lock_range>(i);
    if (identify(path_of(path_, range)) != ids_[i]) reopen(range);
  }
}

std::uint64_t lock_file::id() const noexcept { return ids_[index_of(lock_range::mutation)].inode; }

void lock_file::mark() {
  file_of(lock_range::mutation).write("Held by the server of this directory.\n");
  is_new_ = false;
}

lock_state lock_file::query(const std::filesystem::path& path, lock_range range) {
  const auto file = open_file::to_read(path_of(path, range));
  return file ? file->query(range) : lock_state::free;
}

bool lock_file::try_lock_mutation() {
  constexpr auto range = lock_range::mutation;
  for (;;) {
    open_file& file = file_of(range);
    if (!file.try_lock(range)) {
      if (replace_if_strangers_lock(range)) continue;
      return false;
    }
    const file_status status = file.status();
    if (!status.regular)
      throw error(fmt::format("{} is not a regular file; remove it", file.path().string()),
                  std::make_error_code(std::errc::invalid_argument));
    ids_[index_of(range)] = status.id;
    is_new_ = status.size == 0;
    if (status.linked) return true;
    reopen(range);
  }
}

void lock_file::lock_mutation(std::chrono::seconds longest) {
  wait_until([this] { return try_lock_mutation(); }, path_, longest);
}

name_lock::name_lock(const std::filesystem::path& path, file_id id, std::chrono::seconds longest) {
  if (file_lock::ranges_share_a_file) {
    file_ = open_file::to_lock_existing(path.native());
    if (file_ && file_->status().id == id) {
      // A read lock belongs to a stranger, who may hold it for ever; it keeps other servers away as
      // well.
      const auto attempt = [this] {
        return file_->try_lock(lock_range::mutation) || file_->is_read_locked(lock_range::mutation);
      };
      if (longest.count() > 0)
        wait_until(attempt, path, longest);
      else if (!attempt())
        return;
    }
  }
  held_ = identify(path) == id;
}

}  // namespace berth
