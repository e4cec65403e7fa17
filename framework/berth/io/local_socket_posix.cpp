#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <berth/io/local_socket.hpp>

namespace berth {
namespace {

int last_status() noexcept { return uv_translate_sys_error(errno); }

int bound_socket(const std::string& name) {
#ifdef SOCK_CLOEXEC
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
#else
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (descriptor >= 0) ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
#endif
  if (descriptor < 0) return last_status();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return descriptor;
  const int status = last_status();
  ::close(descriptor);
  return status;
}

}  // namespace

int check_local_name(const std::string& name) noexcept {
  if (name.empty() || name.find('\0') != std::string::npos) return UV_EINVAL;
  return name.size() < sizeof(sockaddr_un::sun_path) ? 0 : UV_ENAMETOOLONG;
}

// libuv is not told the name: it would unlink that in the end, even if it belongs to another
// socket.
int socket_file::bind(uv_pipe_t& pipe, const std::string& name) {
  const int wrong = check_local_name(name);
  if (wrong < 0) return wrong;
  std::error_code unknown;
  const auto absolute = std::filesystem::absolute(name, unknown);
  const int descriptor = bound_socket(name);
  if (descriptor < 0) return descriptor;
  struct stat made;
  if (::lstat(name.c_str(), &made) == 0) {
    path_ = unknown ? std::filesystem::path(name) : absolute;
    device_ = made.st_dev;
    inode_ = made.st_ino;
  }
  const int status = uv_pipe_open(&pipe, descriptor);
  if (status < 0) {
    remove();
    ::close(descriptor);
  }
  return status;
}

// While the socket is open, the number of its inode is not reused.
void socket_file::remove() noexcept {
  struct stat now;
  if (path_.empty() || ::lstat(path_.c_str(), &now) != 0) return;
  if (now.st_dev == device_ && now.st_ino == inode_) ::unlink(path_.c_str());
}

}  // namespace berth
