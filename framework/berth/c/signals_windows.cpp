#include <berth/c/signals.hpp>

// Windows has neither SIGCHLD nor a signal mask.
namespace berth::c {

child_signal_guard::child_signal_guard() = default;
child_signal_guard::~child_signal_guard() = default;
detail::signals_blocked::signals_blocked() = default;
detail::signals_blocked::~signals_blocked() = default;

}  // namespace berth::c
