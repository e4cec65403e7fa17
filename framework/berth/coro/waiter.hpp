// The base of every awaiter: one suspended coroutine that waits for one thing, until it arrives, a
// stop is requested or a deadline passes, whichever is first; the other two are then taken back. It
// lives in the awaiting frame, so waiting allocates nothing. One thread.
//
// A coroutine that another one completes resumes only when the loop gets to it, and a stop may be
// requested in between. Something that only one task can have (a permit, a value) would then be
// lost, together with the result that nobody reads: `hand_over` listens for that stop, and has the
// thing given back.
#pragma once

#include <coroutine>
#include <new>

#include <berth/base/result.hpp>
#include <berth/coro/context.hpp>
#include <berth/coro/deadline.hpp>

namespace berth {

class waiter : public ready_item {
 public:
  /// The thing arrived, as the loop reports: resumes at once, and may destroy this.
  void complete_now() noexcept {
    disarm();
    context_.loop->refill_turns();
    handle_.resume();
  }
  /// The thing arrived, from another coroutine: resumes when the loop gets to it.
  void complete_later() noexcept {
    disarm();
    context_.loop->post(*this);
  }
  /// The same for a thing that is given back if a stop is requested before it resumes.
  void hand_over() noexcept {
    if (expires_ && expiry_.armed()) context_.loop->disarm(expiry_);
    handed_over_ = true;
    context_.loop->post(*this);
  }

 protected:
  waiter() noexcept {}
  // An awaiter may be moved until it is awaited; no wait has begun by then.
  waiter(waiter&&) noexcept : waiter() {}
  ~waiter() { disarm(); }

  /// Begins to wait. Returns false, with the reason set, if a stop or the deadline came before: do
  /// not suspend then.
  bool begin(std::coroutine_handle<> handle, const execution_context& context,
             deadline until = deadline::never()) noexcept {
    handle_ = handle;
    context_ = context;
    if (context.stop.stop_requested()) {
      given_up_ = context.stop.reason();
      return false;
    }
    if (!until.is_never() && !begin_to_expire(until)) return false;
    listen();
    return true;
  }

  /// The wait is over before it began: it failed, or the thing was there. Returns whether to
  /// suspend all the same, so that a task that never has to wait lets others run from time to time.
  /// `turns` is the number of ordinary waits that take as long as this one.
  bool ends_at_once(std::coroutine_handle<> handle, const execution_context& context,
                    int turns = 1) noexcept {
    if (context.loop->take_turns(turns)) [[likely]]
      return false;
    let_others_run(handle, context);
    return true;
  }

  /// Resumes after the items that are queued already. A stop in between is noticed, as after
  /// `hand_over`.
  void let_others_run(std::coroutine_handle<> handle, const execution_context& context) noexcept;

  /// A stop was requested after `hand_over`: gives the thing back, and returns true if that ends
  /// the wait as cancelled. Returns false if there is nothing to lose, and the result stands.
  virtual bool give_back() noexcept { return false; }

  /// Stops waiting for the thing. Returns whether that ends the wait; false if the operation was
  /// only asked to end, and will answer by completing.
  virtual bool abandon() noexcept {
    unlink();
    return true;
  }

  /// Why the wait was given up; none if the thing arrived.
  stop_reason given_up() const noexcept { return given_up_; }
  /// Whether it was given up because of its own deadline.
  bool expired() const noexcept { return expired_; }
  const execution_context& context() const noexcept { return context_; }

 private:
  struct stop_part final : stop_listener {
    explicit stop_part(waiter& of) noexcept : owner(of) {}
    void stop_requested(stop_reason why) noexcept override { owner.give_up(why); }
    waiter& owner;
  };
  struct expiry_part final : timer_item {
    explicit expiry_part(waiter& of) noexcept : owner(of) {}
    void expired() noexcept override {
      owner.expired_ = true;
      owner.give_up(stop_reason::deadline);
    }
    waiter& owner;
  };

  void run() noexcept final {
    if (handed_over_) disarm();
    context_.loop->refill_turns();
    handle_.resume();
  }

  void listen() noexcept {
    if (!context_.stop.can_be_requested()) return;
    new (&stopping_) stop_part(*this);
    listens_ = true;
    context_.stop.listen(stopping_);
  }

  bool begin_to_expire(deadline until) noexcept {
    if (until.passed(context_.loop->now())) {
      given_up_ = stop_reason::deadline;
      expired_ = true;
      return false;
    }
    new (&expiry_) expiry_part(*this);
    expires_ = true;
    context_.loop->arm(expiry_, until.moment());
    return true;
  }

  void give_up(stop_reason why) noexcept {
    if (handed_over_) {
      if (give_back()) given_up_ = why;
      return;
    }
    given_up_ = why;
    if (abandon()) complete_later();
  }

  void disarm() noexcept {
    if (listens_) stopping_.unlink();
    if (expires_ && expiry_.armed()) context_.loop->disarm(expiry_);
  }

  // Constructed only by a wait that needs them: most waits end at once, or have no deadline. They
  // need no destruction once they are unlinked and disarmed.
  union {
    stop_part stopping_;
  };
  union {
    expiry_part expiry_;
  };
  std::coroutine_handle<> handle_;
  execution_context context_;
  stop_reason given_up_ = stop_reason::none;
  bool expired_ = false;
  bool listens_ = false;
  bool expires_ : 1 = false;
  bool handed_over_ : 1 = false;
};

}  // namespace berth
