// The names of local streams: which are valid, and the file that a listener leaves in the file
// system. One file per platform. Private to io/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <uv.h>

namespace berth {

/// 0, or the libuv status that says why no socket can have that name: it is empty, too long or
/// holds a NUL. (The system and libuv would use the part that fits.)
int check_local_name(const std::string& name) noexcept;

/// The file of a listening socket.
class socket_file {
 public:
  /// Binds `pipe`, which must be new. Returns a libuv status.
  int bind(uv_pipe_t& pipe, const std::string& name);
  /// Removes the file unless it belongs to another socket by now. Call it before the socket is
  /// closed.
  void remove() noexcept;

 private:
  std::filesystem::path path_;  // absolute; empty if there is nothing to remove
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

}  // namespace berth
