// One more thread of a service: a loop of its own, a listener that shares the service's port, and
// the connections that the system gives to it. Made, told to drain, and awaited on the service's
// thread; all else happens on its own.
#pragma once

#include <atomic>
#include <thread>

#include <berth/service/connections.hpp>

namespace berth {

class worker {
 public:
  /// Binds; throws berth::error.
  worker(event_loop& home, const endpoint& at, const connection_rules& rules);
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  /// Waits for the thread, which must have drained if it was started.
  ~worker();

  /// Starts the thread, which accepts from now on.
  void start();

  std::thread::id thread() const noexcept { return id_.load(); }
  /// Set on the worker's thread when the service begins to stop.
  event& draining() noexcept { return draining_; }

  /// The connections that wait for a next request may end.
  void begin_to_stop();
  void drain(drain_plan plan);
  /// Cancels what is left.
  void cancel();
  /// How many connections were left at the end of the plan.
  task<std::size_t> drained();

 private:
  task<> serve();

  event_loop& home_;
  const connection_rules& rules_;
  event_loop loop_;
  tcp_listener listener_;
  event draining_;
  drain_plan plan_{};
  event planned_;
  connections* open_ = nullptr;

  std::size_t left_ = 0;
  event drained_;  // on the service's thread
  std::thread thread_;
  std::atomic<std::thread::id> id_;
};

}  // namespace berth
