#include <csignal>

#include <berth/io/broken_pipe.hpp>

namespace berth {

void ignore_broken_pipes() noexcept {
  struct sigaction present{};
  if (::sigaction(SIGPIPE, nullptr, &present) != 0) return;
  if ((present.sa_flags & SA_SIGINFO) != 0 || present.sa_handler != SIG_DFL) return;
  present.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &present, nullptr);
}

}  // namespace berth
