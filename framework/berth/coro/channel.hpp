// Hands values from tasks to tasks, in order, keeping a bounded number: who sends waits while it is
// full, who receives while it is empty, both first come first served. After close nothing more can
// be sent; what was sent before can still be received, and then receiving ends with broken_pipe. A
// send that is cancelled sends nothing; a receive that is cancelled loses nothing. Its memory is
// allocated once. One thread; destroy it with nobody waiting.
//
//   for (;;) {
//     auto job = co_await jobs.receive();
//     if (!job) break;  // closed, or cancelled
//     …
//   }
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <berth/base/intrusive_list.hpp>
#include <berth/coro/waiter.hpp>

namespace berth {

template <typename T>
class channel {
 public:
  class send_awaiter;
  class receive_awaiter;

  /// Keeps up to `capacity` values, at least one.
  explicit channel(std::size_t capacity) : ring_(std::max<std::size_t>(capacity, 1)) {}

  send_awaiter send(T value, deadline until = deadline::never()) noexcept {
    return send_awaiter(*this, std::move(value), until);
  }
  receive_awaiter receive(deadline until = deadline::never()) noexcept {
    return receive_awaiter(*this, until);
  }
  /// False, with the value left where it is, where there is no room or the channel is closed.
  bool try_send(T& value) noexcept {
    if (closed_) return false;
    if (receive_awaiter* const waiting = receivers_.pop_front()) {
      waiting->value_.emplace(std::move(value));
      waiting->complete_later();
      return true;
    }
    if (size_ == ring_.size()) return false;
    ring_[(first_ + size_++) % ring_.size()].emplace(std::move(value));
    return true;
  }
  std::optional<T> try_receive() noexcept {
    if (size_ == 0) return std::nullopt;
    std::optional<T> value = std::exchange(ring_[first_], std::nullopt);
    first_ = (first_ + 1) % ring_.size();
    --size_;
    if (send_awaiter* const waiting = senders_.pop_front()) {
      ring_[(first_ + size_++) % ring_.size()].emplace(std::move(waiting->value_));
      waiting->complete_later();
    }
    return value;
  }

  /// Who waits to send or to receive gets broken_pipe.
  void close() noexcept {
    closed_ = true;
    while (receive_awaiter* const waiting = receivers_.pop_front()) waiting->complete_later();
    while (send_awaiter* const waiting = senders_.pop_front()) {
      waiting->refused_ = true;
      waiting->complete_later();
    }
  }
  bool is_closed() const noexcept { return closed_; }
  /// How many values are kept now.
  std::size_t size() const noexcept { return size_; }

 private:
  static failure broken_pipe() noexcept { return std::make_error_code(std::errc::broken_pipe); }

  std::vector<std::optional<T>> ring_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  bool closed_ = false;
  intrusive_list<send_awaiter> senders_;
  intrusive_list<receive_awaiter> receivers_;  // empty while there are values
};

template <typename T>
class [[nodiscard]] channel<T>::send_awaiter final : public waiter {
 public:
  send_awaiter(channel& to, T value, deadline until) noexcept
      : to_(to), value_(std::move(value)), until_(until) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    const execution_context& context = awaiting.promise().context();
    if (!context.stop.stop_requested()) {
      if (to_.try_send(value_)) return false;
      refused_ = to_.closed_;
      if (refused_) return false;
    }
    if (!begin(awaiting, context, until_)) return false;
    to_.senders_.push_back(*this);
    return true;
  }
  result<void> await_resume() const noexcept {
    if (given_up() != stop_reason::none) return failure::cancelled(given_up());
    if (refused_) return broken_pipe();
    return {};
  }

 private:
  friend channel;
  channel& to_;
  T value_;
  deadline until_;
  bool refused_ = false;
};

template <typename T>
class [[nodiscard]] channel<T>::receive_awaiter final : public waiter {
 public:
  receive_awaiter(channel& from, deadline until) noexcept : from_(from), until_(until) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    const execution_context& context = awaiting.promise().context();
    if (!context.stop.stop_requested()) {
      value_ = from_.try_receive();
      if (value_ || from_.closed_) return false;
    }
    if (!begin(awaiting, context, until_)) return false;
    from_.receivers_.push_back(*this);
    return true;
  }
  result<T> await_resume() noexcept {
    if (given_up() != stop_reason::none) return failure::cancelled(given_up());
    if (!value_) return broken_pipe();
    return std::move(*value_);
  }

 private:
  friend channel;
  channel& from_;
  deadline until_;
  std::optional<T> value_;
};

}  // namespace berth
