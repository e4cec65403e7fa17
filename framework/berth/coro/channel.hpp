// A bounded queue of values between tasks: a sender waits while it is full, a receiver while it is
// empty, both first come, first served. After close nothing more can be sent; values that were sent
// before can still be received, and then receiving ends with broken_pipe. A cancelled send sends
// nothing; a cancelled receive loses nothing. Its memory is allocated once. One thread; destroy it
// with no task waiting.
//
// A task that is woken has been promised a value, or room for one, and takes it when it resumes: a
// stop in between passes the promise on to the next task.
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
  /// Returns false, and leaves the value as it is, if there is no room or the channel is closed.
  bool try_send(T& value) noexcept {
    if (closed_ || !has_room()) return false;
    put(std::move(value));
    return true;
  }
  /// Returns nullopt if there is no value, or each is promised to a task that waited for it.
  std::optional<T> try_receive() noexcept {
    if (!has_value()) return std::nullopt;
    return take();
  }

  /// Tasks that wait to send, or to receive from an empty channel, get broken_pipe.
  void close() noexcept {
    closed_ = true;
    end_receivers();
    while (send_awaiter* const waiting = senders_.pop_front()) waiting->complete_later();
  }
  bool is_closed() const noexcept { return closed_; }
  /// The number of values in the channel, promised ones included.
  std::size_t size() const noexcept { return size_; }

 private:
  static failure broken_pipe() noexcept { return std::make_error_code(std::errc::broken_pipe); }

  bool has_room() const noexcept { return size_ + rooms_promised_ < ring_.size(); }
  bool has_value() const noexcept { return size_ > values_promised_; }
  void put(T value) noexcept {
    ring_[(first_ + size_++) % ring_.size()].emplace(std::move(value));
    promise_value();
  }
  std::optional<T> take() noexcept {
    std::optional<T> value = std::exchange(ring_[first_], std::nullopt);
    first_ = (first_ + 1) % ring_.size();
    --size_;
    promise_room();
    end_receivers();
    return value;
  }
  void promise_value() noexcept {
    if (receivers_.empty() || !has_value()) return;
    ++values_promised_;
    receivers_.pop_front()->promised();
  }
  void promise_room() noexcept {
    if (senders_.empty() || !has_room()) return;
    ++rooms_promised_;
    senders_.pop_front()->promised();
  }
  /// Whether it is closed and empty; promised values count, since they may come back.
  bool has_ended() const noexcept { return closed_ && size_ == 0; }
  void end_receivers() noexcept {
    if (!has_ended()) return;
    while (receive_awaiter* const waiting = receivers_.pop_front()) waiting->complete_later();
  }

  std::vector<std::optional<T>> ring_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::size_t values_promised_ = 0;  // of size_, to receivers that were woken
  std::size_t rooms_promised_ = 0;   // beyond size_, to senders that were woken
  bool closed_ = false;
  intrusive_list<send_awaiter> senders_;
  intrusive_list<receive_awaiter> receivers_;  // empty while there is a value that is not promised
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
      promised_ = !to_.closed_ && to_.has_room();
      if (promised_) ++to_.rooms_promised_;
      if (promised_ || to_.closed_) return ends_at_once(awaiting, context);
    }
    if (!begin(awaiting, context, until_)) return ends_at_once(awaiting, context);
    to_.senders_.push_back(*this);
    return true;
  }
  result<void> await_resume() noexcept {
    const bool has_room = std::exchange(promised_, false);
    if (has_room) --to_.rooms_promised_;
    if (given_up() != stop_reason::none) return failure::cancelled(given_up());
    if (!has_room || to_.closed_) return broken_pipe();
    to_.put(std::move(value_));
    return {};
  }

 private:
  friend channel;
  void promised() noexcept {
    promised_ = true;
    hand_over();
  }
  bool give_back() noexcept override {
    if (!std::exchange(promised_, false)) return false;
    --to_.rooms_promised_;
    to_.promise_room();
    return true;
  }

  channel& to_;
  T value_;
  deadline until_;
  bool promised_ = false;
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
      promised_ = from_.has_value();
      if (promised_) ++from_.values_promised_;
      if (promised_ || from_.has_ended()) return ends_at_once(awaiting, context);
    }
    if (!begin(awaiting, context, until_)) return ends_at_once(awaiting, context);
    from_.receivers_.push_back(*this);
    return true;
  }
  result<T> await_resume() noexcept {
    if (given_up() != stop_reason::none) return failure::cancelled(given_up());
    if (!promised_) return broken_pipe();
    --from_.values_promised_;
    return std::move(*from_.take());
  }

 private:
  friend channel;
  void promised() noexcept {
    promised_ = true;
    hand_over();
  }
  bool give_back() noexcept override {
    if (!std::exchange(promised_, false)) return false;
    --from_.values_promised_;
    from_.promise_value();
    return true;
  }

  channel& from_;
  deadline until_;
  bool promised_ = false;
};

}  // namespace berth
