// Requests to stop, with a reason. A stop_source is owned by the code that may request a stop (a
// scope, a when_any, a service). A task inherits its token from the coroutine that awaits it, so
// tokens are not passed by hand. A source must outlive the tasks that run under it, which a joined
// scope guarantees. Everything here belongs to one loop's thread; from another thread, use
// event_loop::submit.
#pragma once

#include <berth/base/intrusive_list.hpp>
#include <berth/base/stop_reason.hpp>

namespace berth {

class stop_source;

/// Is called when a stop is requested. It must not resume a coroutine at once, but post it.
class stop_listener : public list_node {
 public:
  virtual void stop_requested(stop_reason why) noexcept = 0;

 protected:
  ~stop_listener() = default;
};

/// Tells whether a stop has been requested; never true for a default token.
class stop_token {
 public:
  stop_token() noexcept = default;

  bool stop_requested() const noexcept { return reason() != stop_reason::none; }
  /// False for a default token.
  bool can_be_requested() const noexcept { return source_ != nullptr; }
  inline stop_reason reason() const noexcept;
  /// Calls `listener` once at a stop, unless it was removed before. A stop that was requested
  /// earlier is not reported.
  inline void listen(stop_listener& listener) const noexcept;

 private:
  friend class stop_source;
  explicit stop_token(stop_source& source) noexcept : source_(&source) {}
  stop_source* source_ = nullptr;
};

class stop_source : private stop_listener {
 public:
  stop_source() noexcept = default;
  /// Stops when `parent` does, with the same reason.
  explicit stop_source(stop_token parent) noexcept { follow(parent); }

  void follow(stop_token parent) noexcept {
    if (parent.stop_requested())
      request_stop(parent.reason());
    else
      parent.listen(*this);
  }

  /// Returns true for the first request, which counts, and false for later ones.
  bool request_stop(stop_reason why) noexcept {
    if (reason_ != stop_reason::none) return false;
    reason_ = why;
    while (stop_listener* const listener = listeners_.pop_front()) listener->stop_requested(why);
    return true;
  }

  stop_reason reason() const noexcept { return reason_; }
  stop_token token() noexcept { return stop_token(*this); }

 private:
  friend class stop_token;
  void stop_requested(stop_reason why) noexcept override { request_stop(why); }

  intrusive_list<stop_listener> listeners_;
  stop_reason reason_ = stop_reason::none;
};

stop_reason stop_token::reason() const noexcept {
  return source_ ? source_->reason() : stop_reason::none;
}

void stop_token::listen(stop_listener& listener) const noexcept {
  if (source_) source_->listeners_.push_back(listener);
}

}  // namespace berth
