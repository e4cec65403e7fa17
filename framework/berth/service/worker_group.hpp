// The threads of a service but its first one. On the service's thread, except draining_here.
// Private to service/.
#pragma once

#include <memory>
#include <vector>

#include <berth/service/run_end.hpp>
#include <berth/service/worker.hpp>

namespace berth {

class worker_group {
 public:
  /// Binds `count` workers to an address that is bound already. Throws berth::error.
  void bind(event_loop& home, const endpoint& at, const connection_rules& rules, std::size_t count,
            run_end& end);
  void start();

  void begin_to_stop();
  /// Cancels the remaining connections.
  void cancel();
  void drain(drain_plan plan);
  /// The same, with deadlines that pass immediately.
  void drain_now(steady_time now);
  /// Waits for the end of the plan; returns how many connections were left then.
  task<std::size_t> drained();
  /// Waits until no connection is left, and joins the threads. Call drain first.
  task<> ended();

  /// The calling thread's event, if that is a worker's. Thread-safe while workers run.
  event* draining_here() const noexcept;

 private:
  std::vector<std::unique_ptr<worker>> workers_;
};

}  // namespace berth
