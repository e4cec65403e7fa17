// How another process asks this one to end on a system that has no signal for it; see ask_to_end.
// Ends waiting when it is destroyed. On the loop's thread. Private to io/.
#pragma once

#include <functional>
#include <memory>

#include <berth/io/event_loop.hpp>

namespace berth {

class stop_request {
 public:
  virtual ~stop_request() = default;
};

/// Calls `asked` on the loop's thread at each request. Returns null if the system has SIGTERM.
std::unique_ptr<stop_request> await_stop_request(event_loop& loop, std::function<void()> asked);

}  // namespace berth
