#include <sys/file.h>

#include <cerrno>
#include <thread>

#include <berth/base/error.hpp>
#include <berth/store/file_lock.hpp>

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

// A query holds a shared lock for a moment. If a shared lock can be taken as well, nobody holds the
// exclusive one, so a query is in the way, and this waits for it to end.
bool try_lock(native_handle descriptor, lock_range) {
  for (;;) {
    if (attempt(descriptor, LOCK_EX | LOCK_NB)) return true;
    if (errno != EWOULDBLOCK) throw error(last_system_error(), "lock");
    if (!attempt(descriptor, LOCK_SH | LOCK_NB)) return false;
    if (attempt(descriptor, LOCK_EX | LOCK_NB)) return true;
    attempt(descriptor, LOCK_UN);
    std::this_thread::yield();
  }
}

void unlock(native_handle descriptor, lock_range) noexcept { attempt(descriptor, LOCK_UN); }

// flock(2) has no query: this takes a shared lock for a moment, which try_lock() can tell from an
// owner's lock.
lock_state query(native_handle descriptor, lock_range) noexcept {
  if (attempt(descriptor, LOCK_SH | LOCK_NB)) {
    attempt(descriptor, LOCK_UN);
    return lock_state::free;
  }
  return errno == EWOULDBLOCK ? lock_state::held : lock_state::unknown;
}

bool is_read_locked(native_handle, lock_range) noexcept { return false; }

}  // namespace file_lock
}  // namespace berth
