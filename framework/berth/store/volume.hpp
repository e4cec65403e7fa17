// The file system that a file is on, as far as its locks are concerned: through an overlay, for
// instance, the locks on the file below are not seen. One file per platform; thread-safe.
#pragma once

#include <filesystem>
#include <string>

#include <berth/base/unique_handle.hpp>

namespace berth {

enum class volume_kind {
  local,    ///< every process of this kernel sees the locks
  layered,  ///< shows files of another directory without the locks on them: overlayfs, FUSE
  remote,   ///< another machine keeps the files, and perhaps the locks
};

struct volume {
  volume_kind kind = volume_kind::local;
  std::string id;  ///< stable across remounts; empty unless the volume is layered
};

volume volume_of(native_handle file);

/// The id of the volume that holds the directory. The answer for the last directory is cached.
std::string volume_id_of(const std::filesystem::path& directory);

/// Whether this directory is on a file system of this machine, whose locks and attributes never
/// wait for a network. Asks the file system, so it may itself wait.
bool is_local(const std::filesystem::path& directory) noexcept;

/// "the file system of DIRECTORY is full: free some space", or that it has no inodes left; empty if
/// it has room for new files, or if that is unknown.
std::string shortage_on(const std::filesystem::path& directory);

}  // namespace berth
