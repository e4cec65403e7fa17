#include <berth/io/thread_pool.hpp>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include <uv.h>

#include <berth/base/log.hpp>
#include <berth/base/signals_blocked.hpp>

namespace berth {
namespace {

/// The number of threads that libuv starts: UV_THREADPOOL_SIZE, 4 unless set, at most 1024.
std::size_t pool_size() noexcept {
  const char* const set = std::getenv("UV_THREADPOOL_SIZE");
  if (!set) return 4;
  return static_cast<std::size_t>(std::clamp(std::atoi(set), 1, 1024));
}

// Not by std::latch, whose wait() misses its wake-up now and then where libstdc++ has no futex.
bool start_as_many() noexcept {
  std::mutex until_all_tried;
  std::unique_lock trying(until_all_tried);
  std::vector<std::thread> threads;
  bool started = true;
  try {
    threads.reserve(pool_size());
    while (threads.size() < pool_size())
      threads.emplace_back([&] { const std::lock_guard wait(until_all_tried); });
  } catch (const std::exception& failed) {
    started = false;
    log::warning("no threads can be started ({}; see ulimit -u): files are handled without them",
                 failed.what());
  }
  trying.unlock();
  for (auto& each : threads) each.join();
  return started;
}

/// Makes libuv start its threads now. Without descriptors for a loop, they start at the first job.
void start_pool() noexcept {
  uv_loop_t loop;
  if (uv_loop_init(&loop) != 0) return;
  uv_work_t nothing;
  const auto work = [](uv_work_t*) {};
  const auto done = [](uv_work_t*, int) {};
  if (uv_queue_work(&loop, &nothing, work, done) == 0) uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
}

// The pool serves every loop of the process, whichever thread is the first to need it, and must not
// take signals that only the program's own threads expect.
bool start_quietly() noexcept {
  const signals_blocked blocked;
  if (!start_as_many()) return false;
  start_pool();
  return true;
}

}  // namespace

bool thread_pool_starts() noexcept {
  static const bool starts = start_quietly();
  return starts;
}

}  // namespace berth
