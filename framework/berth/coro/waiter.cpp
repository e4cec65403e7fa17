#include <berth/coro/waiter.hpp>

namespace berth {

// Not in the header: it is rare, and would cost every awaiter registers there.
void waiter::let_others_run(std::coroutine_handle<> handle,
                            const execution_context& context) noexcept {
  handle_ = handle;
  context_ = context;
  if (!context.stop.stop_requested() && given_up_ == stop_reason::none) listen();
  hand_over();
}

}  // namespace berth
