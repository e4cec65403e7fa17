// libuv starts the threads of its pool at the first job, and aborts the process if one cannot be
// started (uv__threadpool.c, init_threads). Thread-safe.
#pragma once

namespace berth {

/// Starts the pool's threads, which handle no signals, and returns whether they could be started.
/// Tried once; logs a warning if they cannot. Blocking calls are then made on the loop itself.
bool thread_pool_starts() noexcept;

}  // namespace berth
