// One more thread of a service: a loop of its own, a listener that shares the service's port, and
// the connections that the system assigns to it. The service's thread constructs, starts, drains
// and awaits it; everything else runs on its own thread.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <thread>

#include <berth/service/connections.hpp>

namespace berth {

class worker {
 public:
  /// Binds; throws berth::error. `failed` is called on the service's thread if the worker can no
  /// longer accept.
  worker(event_loop& home, const endpoint& at, const connection_rules& rules,
         std::function<void(std::exception_ptr)> failed);
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  /// Joins the thread; if it was started, await ended() first.
  ~worker();

  /// Starts the thread, which then accepts. Throws berth::error if the system refuses.
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
  /// Waits until no connection is left and the thread ends; returns at once if it was not started.
  /// Call drain first.
  task<> ended();

 private:
  void run() noexcept;
  task<> serve();
  task<> accept(connections& open);
  void report(std::exception_ptr why);

  event_loop& home_;
  const connection_rules& rules_;
  const std::function<void(std::exception_ptr)> failed_;
  event_loop loop_;
  tcp_listener listener_;
  event draining_;
  drain_plan plan_{};
  event planned_;
  connections* open_ = nullptr;

  std::size_t left_ = 0;
  event drained_;  // set on the service's thread, as ended_ is
  event ended_;
  std::thread thread_;
  std::atomic<std::thread::id> id_;
};

}  // namespace berth
