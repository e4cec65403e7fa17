// When a signal is a second request to stop.
#pragma once

#include <chrono>

namespace berth {

/// Signals this soon after the first count as the same request to stop: timeout(1) sends each
/// twice, to its child and to the child's group.
inline constexpr std::chrono::milliseconds one_stop_signal{100};

}  // namespace berth
