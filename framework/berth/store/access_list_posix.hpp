// Who may write to a file or directory by its POSIX access control list (acl(5)), which the mode
// does not show: its group bits are the list's mask. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace berth {

struct listed_writers {
  std::vector<std::uint32_t> users;   ///< named users
  std::vector<std::uint32_t> groups;  ///< named groups
  bool owning_group = true;           ///< the group that the file belongs to
};

/// For a path whose mode lets its group write. If it has no list, the owning group alone may write.
/// Throws berth::error if the list cannot be read.
listed_writers listed_writers_of(const std::filesystem::path& path);

}  // namespace berth
