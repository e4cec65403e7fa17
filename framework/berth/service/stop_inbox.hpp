// Delivers the requests of stop handles on a run's loop, while it exists. Private to service/.
#pragma once

#include <functional>

#include <berth/io/event_loop.hpp>
#include <berth/service/stop_handle.hpp>

namespace berth {

class stop_inbox {
 public:
  /// Calls `stop` on the thread of `loop`; at once if a request is pending.
  stop_inbox(const stop_handle& asked, event_loop& loop, std::function<void(stop_reason)> stop);
  stop_inbox(const stop_inbox&) = delete;
  stop_inbox& operator=(const stop_inbox&) = delete;
  /// Forgets all requests. On the loop's thread.
  ~stop_inbox();

 private:
  friend class stop_handle;
  static void deliver(stop_handle::state& of, const event_loop& on);

  std::shared_ptr<stop_handle::state> state_;
};

}  // namespace berth
