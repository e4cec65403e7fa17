#include <sys/socket.h>

#include <cerrno>

#include <berth/io/port_sharing.hpp>

namespace berth {

int allow_port_sharing(const uv_tcp_t& socket) noexcept {
#ifdef SO_REUSEPORT
  uv_os_fd_t descriptor;
  const int on = 1;
  const int status = uv_fileno(reinterpret_cast<const uv_handle_t*>(&socket), &descriptor);
  if (status < 0) return status;
  if (::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) return 0;
  return uv_translate_sys_error(errno);
#else
  (void)socket;
  return UV_ENOTSUP;
#endif
}

}  // namespace berth
