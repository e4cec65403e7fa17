// The names of local streams: what may be one, and the file that a listener leaves in the file
// system. One file per platform. Private to io/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <uv.h>

namespace berth {

/// 0, or the status of libuv's that says why no socket can have that name: it is empty, too long or
/// holds a NUL. (The system and libuv would use the part that fits.)
int check_local_name(const std::string& name) noexcept;

/// The file of a listening socket.
class socket_file {
 public:
  /// Binds `pipe`, which is new. A status of libuv's.
  int bind(uv_pipe_t& pipe, const std::string& name);
  /// Removes the file unless it is another's by now. To be called before the socket is closed.
  void remove() noexcept;

 private:
  std::filesystem::path path_;  // absolute; empty if there is nothing to remove
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

}  // namespace berth
