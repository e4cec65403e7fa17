#include <csignal>
#include <mutex>

#include <berth/c/signals.hpp>

namespace berth::c {
namespace {

std::mutex guards_mutex;
int guards = 0;
struct sigaction handler_before;

}  // namespace

child_signal_guard::child_signal_guard() {
  const std::scoped_lock held(guards_mutex);
  if (guards++ == 0) sigaction(SIGCHLD, nullptr, &handler_before);
}

child_signal_guard::~child_signal_guard() {
  const std::scoped_lock held(guards_mutex);
  if (--guards == 0) sigaction(SIGCHLD, &handler_before, nullptr);
}

}  // namespace berth::c
