// Keeps the log of a started server bounded while the server runs. On the loop's thread.
#pragma once

#include <berth/coro/task.hpp>

namespace berth {

/// Rolls the log that this process was started with (see start_log.hpp) whenever it has grown
/// beyond its limit: within 50 ms of a write, so that it holds little more than that. Ends when it
/// is stopped, and at once if there is no such log.
task<> keep_log_bounded();

}  // namespace berth
