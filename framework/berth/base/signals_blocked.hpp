// Blocks all signals in this thread while it exists. Threads that it starts meanwhile handle none
// of the program's signals for as long as they live. For one thread; a no-op on Windows, which has
// no signal mask.
#pragma once

#ifndef _WIN32
#include <signal.h>
#endif

namespace berth {

class signals_blocked {
 public:
  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;
#ifdef _WIN32
  signals_blocked() noexcept {}
  ~signals_blocked() {}
#else
  signals_blocked() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
#endif
};

}  // namespace berth
