#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include <berth/base/standard_descriptors.hpp>

namespace berth {

// open(2) gives the lowest number that is free.
void reserve_standard_descriptors() noexcept {
  (void)::signal(SIGXFSZ, SIG_IGN);
  for (int number = 0; number <= STDERR_FILENO; ++number) {
    if (::fcntl(number, F_GETFD) != -1 || errno != EBADF) continue;
    const int mode = number == STDERR_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", mode) < 0) (void)::open("/", O_RDONLY | O_DIRECTORY);
  }
}

}  // namespace berth
