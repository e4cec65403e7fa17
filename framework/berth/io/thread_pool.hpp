// libuv starts the threads of its pool at the first job, and aborts the process if one cannot be
// started (uv__threadpool.c, init_threads). Thread-safe.
#pragma once

namespace berth {

/// Whether the pool's threads can be started. Tried once, by starting as many; logs a warning if
/// they cannot. Blocking calls are then made on the loop itself.
bool thread_pool_starts() noexcept;

}  // namespace berth
