#include <fcntl.h>

#include <cerrno>

#include <berth/base/error.hpp>
#include <berth/store/file_lock.hpp>

namespace berth {

const std::string_view lock_mechanism = "ofd";

namespace file_lock {

const bool ranges_share_a_file = true;

namespace {

struct flock one_byte(lock_range range, short type) noexcept {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(range);
  lock.l_len = 1;
  return lock;
}

int control(native_handle descriptor, int command, struct flock& lock) noexcept {
  int status;
  do status = ::fcntl(descriptor, command, &lock);
  while (status < 0 && errno == EINTR);
  return status;
}

}  // namespace

bool try_lock(native_handle descriptor, lock_range range) {
  auto lock = one_byte(range, F_WRLCK);
  if (control(descriptor, F_OFD_SETLK, lock) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  throw error(last_system_error(), "lock");
}

void unlock(native_handle descriptor, lock_range range) noexcept {
  auto lock = one_byte(range, F_UNLCK);
  control(descriptor, F_OFD_SETLK, lock);
}

// Queries for a read lock, which only a write lock conflicts with: any process that can read the
// file can take a read lock, but only one that can write to it can take a write lock.
lock_state query(native_handle descriptor, lock_range range) noexcept {
  auto lock = one_byte(range, F_RDLCK);
  if (control(descriptor, F_OFD_GETLK, lock) != 0) return lock_state::unknown;
  return lock.l_type == F_UNLCK ? lock_state::free : lock_state::held;
}

bool is_read_locked(native_handle descriptor, lock_range range) noexcept {
  auto lock = one_byte(range, F_WRLCK);
  return control(descriptor, F_OFD_GETLK, lock) == 0 && lock.l_type == F_RDLCK;
}

}  // namespace file_lock
}  // namespace berth
