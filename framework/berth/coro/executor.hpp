// What tasks need of an event loop: a run queue, a clock and timers. event_loop is one, manual_loop
// another. All of it belongs to the loop's thread. The code that queues an item owns it; the item
// must not move before it has run or was removed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <berth/base/intrusive_list.hpp>

struct uv_loop_s;

namespace berth {

using steady_time = std::chrono::steady_clock::time_point;

/// Something that runs once, soon, on the loop's thread.
class ready_item : public list_node {
 public:
  virtual void run() noexcept = 0;

 protected:
  ~ready_item() = default;
};

/// Something that runs once, at a given time.
class timer_item {
 public:
  timer_item() noexcept = default;
  timer_item(const timer_item&) = delete;
  timer_item& operator=(const timer_item&) = delete;

  virtual void expired() noexcept = 0;

  bool armed() const noexcept { return position_ != not_armed; }

 protected:
  ~timer_item() = default;

 private:
  friend class timer_queue;
  static constexpr std::size_t not_armed = static_cast<std::size_t>(-1);
  steady_time due_;
  std::uint64_t order_ = 0;
  std::size_t position_ = not_armed;
};

class executor;

/// The name of a running task, and when it started. See named.hpp.
class live_task : public list_node {
 public:
  live_task(executor& on, std::string name);

 private:
  friend class executor;
  std::string name_;
  steady_time since_;
};

/// How many waits in a row may end at once before the task must let others run.
inline constexpr int turns_at_once = 64;

class executor {
 public:
  virtual steady_time now() const noexcept = 0;
  /// Runs `item` after the items that are queued already.
  virtual void post(ready_item& item) noexcept = 0;
  virtual void arm(timer_item& timer, steady_time due) = 0;
  /// Harmless for a timer that is not armed.
  virtual void disarm(timer_item& timer) noexcept = 0;
  /// The underlying libuv loop, for the awaitables of io/; null if there is none.
  virtual uv_loop_s* native() noexcept { return nullptr; }

  /// Counts one wait that ends at once, or `count` if it took as long as that many. Returns false
  /// if the task must let others run first; it might never return to the loop otherwise.
  bool take_turns(int count = 1) noexcept { return (turns_left_ -= count) > 0; }
  /// Called by the loop each time that it resumes a task.
  void refill_turns() noexcept { turns_left_ = turns_at_once; }

  /// The named tasks that run now, in the order in which they started, each with its age.
  std::vector<std::string> live_tasks() const;

 protected:
  ~executor() = default;

 private:
  friend class live_task;
  intrusive_list<live_task> live_;
  int turns_left_ = turns_at_once;
};

}  // namespace berth
