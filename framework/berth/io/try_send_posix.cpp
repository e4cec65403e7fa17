#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include <berth/io/try_send.hpp>

namespace berth {

// Does what uv_try_write does for a stream that has nothing queued, in a third of the instructions.
int try_send(uv_stream_t& socket, std::span<const std::byte> bytes) noexcept {
  const std::size_t size = std::min(bytes.size(), most_sent_at_once);
#ifdef MSG_NOSIGNAL
  constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
  constexpr int flags = MSG_DONTWAIT;
#endif
  uv_os_fd_t descriptor;
  const int status = uv_fileno(reinterpret_cast<const uv_handle_t*>(&socket), &descriptor);
  if (status < 0) return status;
  for (;;) {
    const ssize_t sent = ::send(descriptor, bytes.data(), size, flags);
    if (sent >= 0) return static_cast<int>(sent);
    if (errno == ENOBUFS) return UV_EAGAIN;
    if (errno != EINTR) return uv_translate_sys_error(errno);
  }
}

}  // namespace berth
