// Locks that the kernel keeps for a process and lets go when it ends, however it ends: open file
// description locks where the system has them, one byte each, so that one file carries several;
// flock elsewhere, which knows whole files only.
#pragma once

#include <string_view>

#include <berth/base/unique_handle.hpp>

namespace berth {

/// Which byte of a file is locked.
enum class lock_range {
  owner = 0,     ///< of the lock file: may publish. Of a port file: its server lives
  mutation = 1,  ///< changes what is published, for a moment
  starter = 2,   ///< starts a server
};

enum class lock_state {
  free,
  held,
  unknown,  ///< the file system cannot tell
};

/// What the record says of how its file is locked.
extern const std::string_view lock_mechanism;

namespace file_lock {

/// Whether one file carries all ranges, each by itself.
extern const bool ranges_share_a_file;

/// True where the lock is taken now; false where another holds it. Throws berth::error.
bool try_lock(native_handle descriptor, lock_range range);
void unlock(native_handle descriptor, lock_range range) noexcept;
/// Takes nothing that makes another process fail to lock.
lock_state query(native_handle descriptor, lock_range range) noexcept;
/// Whether a read lock keeps others from locking. None of ours is one; whoever may read the file
/// can take one. False where the system cannot tell.
bool is_read_locked(native_handle descriptor, lock_range range) noexcept;

}  // namespace file_lock

}  // namespace berth
