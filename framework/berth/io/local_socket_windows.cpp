#include <berth/io/local_socket.hpp>

namespace berth {

int check_local_name(const std::string& name) noexcept {
  constexpr std::size_t most = 256;  // characters in a pipe's name, see CreateNamedPipe
  if (name.empty() || name.find('\0') != std::string::npos) return UV_EINVAL;
  return name.size() <= most ? 0 : UV_ENAMETOOLONG;
}

int socket_file::bind(uv_pipe_t& pipe, const std::string& name) {
  const int wrong = check_local_name(name);
  return wrong < 0 ? wrong : uv_pipe_bind(&pipe, name.c_str());
}

// A named pipe is not a file, and disappears with its last handle.
void socket_file::remove() noexcept {}

}  // namespace berth
