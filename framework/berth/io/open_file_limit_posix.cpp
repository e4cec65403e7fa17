#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include <uv.h>

#include <berth/io/event_loop.hpp>
#include <berth/io/open_file_limit.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {

void allow_open_files(std::size_t wanted) noexcept {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t most_open_files() noexcept {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::numeric_limits<std::size_t>::max();
  return limit.rlim_cur;
}

// libuv calls abort() if it cannot create the pipe of its signals (uv__signal_global_reinit). The
// files are opened by libuv because of the thread sanitizer, see below.
void check_files_of_loop() {
  constexpr std::size_t needed = 6;  // epoll, two pipes, an event
  std::array<int, needed> opened;
  std::size_t size = 0;
  uv_fs_t request;
  for (; size < needed; ++size) {
    opened[size] = uv_fs_open(nullptr, &request, "/", O_RDONLY, 0, nullptr);
    uv_fs_req_cleanup(&request);
    if (opened[size] < 0) break;
  }
  const int failed = size < needed ? opened[size] : 0;
  while (size > 0) {
    uv_fs_close(nullptr, &request, opened[--size], nullptr);
    uv_fs_req_cleanup(&request);
  }
  if (failed == UV_EMFILE || failed == UV_ENFILE) check_uv(failed, "create an event loop");
}

// Numbers below 3 belong to the standard streams, although they may be closed.
bool can_open_files(event_loop& loop, std::size_t count) noexcept {
  constexpr int first = 3;
  std::array<int, 32> opened;
  std::size_t size = 0;
  const int any = uv_backend_fd(loop.native());
  for (count = std::min(count, opened.size()); size < count; ++size)
    if ((opened[size] = ::fcntl(any, F_DUPFD_CLOEXEC, first)) < 0) break;
  // Closed by libuv, like those of the loops: the thread sanitizer sees none of libuv's calls, but
  // would take ours for a race with a loop that closed a descriptor of the same number before.
  for (std::size_t i = 0; i < size; ++i) {
    uv_fs_t request;
    uv_fs_close(loop.native(), &request, opened[i], nullptr);
    uv_fs_req_cleanup(&request);
  }
  return size == count;
}

}  // namespace berth
