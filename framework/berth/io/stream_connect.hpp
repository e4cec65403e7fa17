// The part that connecting streams of every kind have in common: a libuv request that owns itself
// and may outlive the task that waits for it. On the loop's thread.
#pragma once

#include <berth/coro/waiter.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/stream.hpp>

namespace berth {

class stream_connect : public waiter {
 protected:
  struct request;

  explicit stream_connect(deadline until) noexcept : until_(until) {}
  stream_connect(stream_connect&& other) noexcept
      : waiter(std::move(other)), until_(other.until_) {}
  ~stream_connect() = default;

  /// Begins to wait, and makes the request, which takes `made` over. If the wait is over before it
  /// began, closes `made` and returns null.
  request* begin_request(std::coroutine_handle<> awaiting, const execution_context& context,
                         stream_core* made);
  /// The status to report if libuv refuses to begin.
  void refused(int status) noexcept;
  failure why_not() const noexcept;

  stream_core* connected_ = nullptr;
  int status_ = 0;

 private:
  bool abandon() noexcept override;

  deadline until_;
  request* request_ = nullptr;
};

}  // namespace berth
