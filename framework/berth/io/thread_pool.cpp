#include <berth/io/thread_pool.hpp>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include <berth/base/log.hpp>

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

}  // namespace

bool thread_pool_starts() noexcept {
  static const bool starts = start_as_many();
  return starts;
}

}  // namespace berth
