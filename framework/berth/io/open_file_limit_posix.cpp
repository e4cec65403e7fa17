#include <sys/resource.h>

#include <algorithm>

#include <berth/io/open_file_limit.hpp>

namespace berth {

void allow_open_files(std::size_t wanted) noexcept {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace berth
