// Whether a service has any connection, on any of its threads: what an idle shutdown waits for.
// Count on any thread; the events belong to the thread of the loop that it was made with.
#pragma once

#include <atomic>
#include <cstddef>
#include <thread>

#include <berth/coro/event.hpp>
#include <berth/io/event_loop.hpp>

namespace berth {

class activity {
 public:
  explicit activity(event_loop& home) : home_(home) { idle_.set(); }

  void opened() {
    if (count_.fetch_add(1) == 0) changed();
  }
  void closed() {
    if (count_.fetch_sub(1) == 1) changed();
  }

  std::size_t count() const noexcept { return count_.load(); }

  /// Set while there is one at least.
  event& busy() noexcept { return busy_; }
  /// Set while there is none.
  event& idle() noexcept { return idle_; }

 private:
  void changed();
  void tell();

  event_loop& home_;
  const std::thread::id thread_ = std::this_thread::get_id();
  std::atomic<std::size_t> count_ = 0;
  event busy_;
  event idle_;
};

}  // namespace berth
