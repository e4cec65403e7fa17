#include <berth/store/open_file.hpp>

#include <berth/base/error.hpp>

namespace berth {

bool open_file::try_lock(lock_range range) {
  try {
    return file_lock::try_lock(handle_.get(), range);
  } catch (const error& failed) {
    throw error(failed.code(), "lock", path().string());
  }
}

void open_file::unlock(lock_range range) noexcept { file_lock::unlock(handle_.get(), range); }

lock_state open_file::query(lock_range range) const noexcept {
  return file_lock::query(handle_.get(), range);
}

bool open_file::is_read_locked(lock_range range) const noexcept {
  return file_lock::is_read_locked(handle_.get(), range);
}

}  // namespace berth
