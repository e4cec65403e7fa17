#include <sys/file.h>

#include <cerrno>

#include <berth/base/error.hpp>
#include <berth/discovery/file_lock.hpp>

namespace berth {

const std::string_view lock_mechanism = "flock";

namespace file_lock {

const bool ranges_share_a_file = false;

namespace {

bool attempt(native_handle descriptor, int operation) noexcept {
  int status;
  do status = ::flock(descriptor, operation);
  while (status != 0 && errno == EINTR);
  return status == 0;
}

}  // namespace

bool try_lock(native_handle descriptor, lock_range) {
  if (attempt(descriptor, LOCK_EX | LOCK_NB)) return true;
  if (errno == EWOULDBLOCK) return false;
  throw error(last_system_error(), "lock");
}

void unlock(native_handle descriptor, lock_range) noexcept { attempt(descriptor, LOCK_UN); }

// flock cannot ask. A shared lock, taken for a moment, hinders no other reader, and no owner: an
// owner locks its file before it has its name.
lock_state query(native_handle descriptor, lock_range) noexcept {
  if (attempt(descriptor, LOCK_SH | LOCK_NB)) {
    attempt(descriptor, LOCK_UN);
    return lock_state::free;
  }
  return errno == EWOULDBLOCK ? lock_state::held : lock_state::unknown;
}

}  // namespace file_lock
}  // namespace berth
