// Asks a service to stop. A handle is a value: copy it to any thread and use it at any time, before
// a run, during it, after it, and when the service is gone. A request while the service is not
// running stops its next run at once; the first request of a run counts.
//
//   std::jthread watchdog([stop = service.stopper()] { wait_for_disk_full(); stop.request(); });
#pragma once

#include <memory>

#include <berth/base/stop_reason.hpp>

namespace berth {

class stop_handle {
 public:
  stop_handle();
  stop_handle(const stop_handle&) = default;  // no move: it would leave a handle without a state
  stop_handle& operator=(const stop_handle&) = default;
  /// Thread-safe.
  void request(stop_reason why = stop_reason::requested) const;

 private:
  friend class stop_inbox;
  struct state;
  // Shared by all handles, the run, and calls that the loop has yet to make.
  std::shared_ptr<state> state_;
};

}  // namespace berth
