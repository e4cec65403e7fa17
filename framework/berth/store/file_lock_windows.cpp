#include <windows.h>

#include <berth/base/error.hpp>
#include <berth/store/file_lock.hpp>

namespace berth {

const std::string_view lock_mechanism = "windows";

namespace file_lock {

const bool ranges_share_a_file = true;

namespace {

// A locked range cannot be read by others: it lies beyond the end of any port file.
OVERLAPPED one_byte(lock_range range) noexcept {
  OVERLAPPED place{};
  place.Offset = 0x40000000u + static_cast<DWORD>(range);
  return place;
}

bool attempt(native_handle file, lock_range range, DWORD kind) noexcept {
  OVERLAPPED place = one_byte(range);
  return ::LockFileEx(file, kind | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place) != 0;
}

bool held_by_another() noexcept {
  const DWORD why = ::GetLastError();
  return why == ERROR_LOCK_VIOLATION || why == ERROR_IO_PENDING;
}

}  // namespace

// A query holds a shared lock for a moment. If a shared lock can be taken as well, nobody holds the
// exclusive one, so a query is in the way, and this waits for it to end.
bool try_lock(native_handle file, lock_range range) {
  for (;;) {
    if (attempt(file, range, LOCKFILE_EXCLUSIVE_LOCK)) return true;
    if (!held_by_another()) throw error(last_system_error(), "lock");
    if (!attempt(file, range, 0)) return false;
    unlock(file, range);
    ::SwitchToThread();
  }
}

void unlock(native_handle file, lock_range range) noexcept {
  OVERLAPPED place = one_byte(range);
  ::UnlockFileEx(file, 0, 1, 0, &place);
}

// LockFileEx has no query: this takes a shared lock for a moment, which try_lock() can tell from an
// owner's lock.
lock_state query(native_handle file, lock_range range) noexcept {
  if (attempt(file, range, 0)) {
    unlock(file, range);
    return lock_state::free;
  }
  return held_by_another() ? lock_state::held : lock_state::unknown;
}

bool is_read_locked(native_handle, lock_range) noexcept { return false; }

}  // namespace file_lock
}  // namespace berth
