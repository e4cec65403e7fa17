// A libuv loop that runs tasks. Everything on it belongs to the thread that calls run, except
// submit and stop, which any thread may call. The loop must outlive the objects that were made for
// it; its destructor completes the closing of handles, and reports those that nobody closed. The
// constructor ignores SIGPIPE in the process, unless that has a handler.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <berth/coro/context.hpp>
#include <berth/coro/root_task.hpp>

struct uv_loop_s;

namespace berth {

/// An object that only the loop owns: it is closed when the loop is destroyed, at the latest.
class loop_resident : public list_node {
 public:
  virtual void close() noexcept = 0;

 protected:
  ~loop_resident() = default;
};

class event_loop final : public executor {
 public:
  event_loop();
  /// Uses a loop that another program runs, which must go on running it after this is destroyed:
  /// for one turn or, if directories were watched, until uv_loop_close succeeds (closing a watch
  /// may take seconds, on the pool). Start tasks there with root_task; run throws.
  explicit event_loop(uv_loop_s& running);
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  /// Runs `outermost` and everything it starts, until it has ended. Returns its result or rethrows
  /// its exception. Throws berth::error if the loop runs already.
  template <typename T>
  T run(task<T> outermost) {
    const running_mark running(*this);
    root_task<T> root(std::move(outermost), [this] { leave(); });
    root.start(context());
    while (!root.ended()) enter();
    return root.take();
  }

  /// Runs `call` on the loop's thread, soon. Thread-safe. A call that is submitted after the last
  /// run is dropped; an exception from a call is logged.
  void submit(std::function<void()> call);
  /// Asks the outermost task, and all it awaits, to stop. Thread-safe.
  void stop(stop_reason why = stop_reason::requested);

  /// Closes the resident when the loop is destroyed, unless it has gone before.
  void adopt(loop_resident& left) noexcept { residents_.push_back(left); }

  execution_context context() noexcept { return {this, stop_.token()}; }
  /// The types of the open handles ("tcp", "timer", …), except for the loop's own and those of
  /// children that were left to themselves.
  std::vector<std::string> open_handles() const;
  /// State that the directory watches on this loop share; only they use it.
  std::weak_ptr<void>& shared_by_watches() noexcept { return shared_by_watches_; }

  steady_time now() const noexcept override { return std::chrono::steady_clock::now(); }
  void post(ready_item& item) noexcept override;
  void arm(timer_item& timer, steady_time due) override;
  void disarm(timer_item& timer) noexcept override;
  uv_loop_s* native() noexcept override;

  /// The loop that a task runs on; throws std::logic_error if that is not an event_loop.
  static event_loop& of(const execution_context& context);

 private:
  struct core;
  class running_mark {
   public:
    explicit running_mark(event_loop& marked);
    running_mark(const running_mark&) = delete;
    running_mark& operator=(const running_mark&) = delete;
    ~running_mark();

   private:
    event_loop& loop_;
  };
  void enter();
  void leave() noexcept;

  core* core_;
  stop_source stop_;
  intrusive_list<loop_resident> residents_;
  std::weak_ptr<void> shared_by_watches_;
};

/// Runs `outermost` on an event loop of its own.
template <typename T>
T run(task<T> outermost) {
  event_loop loop;
  return loop.run(std::move(outermost));
}

}  // namespace berth
