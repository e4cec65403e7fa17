// Locks that the kernel holds for a process and releases when it ends, however it ends: open file
// description locks where the system has them, one byte each, so that one file carries several;
// elsewhere flock, which locks whole files only.
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

/// The value of a record's field "lock": how this build locks the file.
extern const std::string_view lock_mechanism;

namespace file_lock {

/// Whether one file carries all ranges, each by itself.
extern const bool ranges_share_a_file;

/// Returns true if the lock is taken now, false if another open file holds it. Throws berth::error.
bool try_lock(native_handle descriptor, lock_range range);
void unlock(native_handle descriptor, lock_range range) noexcept;
/// Does not make a process that tries to lock fail.
lock_state query(native_handle descriptor, lock_range range) noexcept;
/// Whether a read lock keeps others from locking. berth takes none, but any process that may read
/// the file can. False if the system cannot tell.
bool is_read_locked(native_handle descriptor, lock_range range) noexcept;

}  // namespace file_lock

}  // namespace berth
