#include <berth/c/signals.hpp>

// Windows has no SIGCHLD.
namespace berth::c {

child_signal_guard::child_signal_guard() = default;
child_signal_guard::~child_signal_guard() = default;

}  // namespace berth::c
