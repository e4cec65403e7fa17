#include <berth/service/stop_handle.hpp>

#include <mutex>

#include <berth/service/stop_inbox.hpp>

namespace berth {

struct stop_handle::state {
  std::mutex mutex;
  event_loop* loop = nullptr;
  stop_reason asked = stop_reason::none;
  std::function<void(stop_reason)> stop;
};

stop_handle::stop_handle() : state_(std::make_shared<state>()) {}

// The state is held by a copy: the service, and this handle with it, may be destroyed as soon as
// the run has seen the request.
void stop_handle::request(stop_reason why) const {
  const auto kept = state_;
  const std::scoped_lock lock(kept->mutex);
  if (kept->asked == stop_reason::none)
    kept->asked = why == stop_reason::none ? stop_reason::requested : why;
  if (event_loop* const loop = kept->loop)
    loop->submit([kept, loop] { stop_inbox::deliver(*kept, *loop); });
}

void stop_inbox::deliver(stop_handle::state& of, const event_loop& on) {
  std::function<void(stop_reason)> stop;
  stop_reason why = stop_reason::none;
  {
    const std::scoped_lock lock(of.mutex);
    if (of.loop != &on) return;
    stop = of.stop;
    why = of.asked;
  }
  if (why != stop_reason::none) stop(why);
}

stop_inbox::stop_inbox(const stop_handle& asked, event_loop& loop,
                       std::function<void(stop_reason)> stop)
    : state_(asked.state_) {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->loop = &loop;
    state_->stop = std::move(stop);
  }
  deliver(*state_, loop);
}

stop_inbox::~stop_inbox() {
  const std::scoped_lock lock(state_->mutex);
  state_->loop = nullptr;
  state_->asked = stop_reason::none;
  state_->stop = nullptr;
}

}  // namespace berth
