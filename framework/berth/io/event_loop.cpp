#include <berth/io/event_loop.hpp>

#include <mutex>
#include <stdexcept>

#include <uv.h>

#include <berth/base/log.hpp>
#include <berth/coro/timer_queue.hpp>
#include <berth/io/broken_pipe.hpp>
#include <berth/io/open_file_limit.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {
namespace {

template <typename Handle>
uv_handle_t* as_handle(Handle& handle) {
  return reinterpret_cast<uv_handle_t*>(&handle);
}

}  // namespace

struct event_loop::core {
  core(event_loop& of, uv_loop_t* running) : owner(of), loop(running ? running : &own_loop) {
    ignore_broken_pipes();
    if (!running) {
      check_files_of_loop();
      check_uv(uv_loop_init(loop), "create an event loop");
    }
    const auto woken = [](uv_async_t* handle) {
      static_cast<core*>(handle->data)->run_submitted();
    };
    check_uv(uv_async_init(loop, &wake, woken), "create an event loop");
    uv_idle_init(loop, &idle);
    uv_timer_init(loop, &timer);
    idle.data = timer.data = wake.data = this;
    // On a loop that another program runs, this handle must not keep it alive.
    if (running) uv_unref(as_handle(wake));
  }

  /// Leaves a loop that another program runs: this is deleted when the last handle is closed.
  void leave() noexcept {
    const auto closed = [](uv_handle_t* handle) {
      auto* const self = static_cast<core*>(handle->data);
      if (--self->open_handles == 0) delete self;
    };
    uv_close(as_handle(idle), closed);
    uv_close(as_handle(timer), closed);
    uv_close(as_handle(wake), closed);
  }

  bool own(const uv_handle_t* handle) const { return handle->data == this; }

  void run_ready() {
    intrusive_list<ready_item> batch;
    batch.splice_back(ready);
    while (ready_item* const next = batch.pop_front()) next->run();
    if (ready.empty()) uv_idle_stop(&idle);
  }

  void run_due() {
    const auto now = owner.now();
    while (timer_item* const due = timers.take_due(now)) due->expired();
    schedule();
  }

  // libuv counts whole milliseconds from its own, cached time: update it and round up.
  void schedule() {
    const auto due = timers.next_due();
    if (!due) {
      uv_timer_stop(&timer);
      return;
    }
    uv_update_time(loop);
    const auto now = owner.now();
    const auto left = *due > now ? *due - now : steady_time::duration::zero();
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    uv_timer_start(
        &timer, [](uv_timer_t* handle) { static_cast<core*>(handle->data)->run_due(); },
        static_cast<std::uint64_t>(wait), 0);
  }

  void run_submitted() {
    std::vector<std::function<void()>> calls;
    {
      const std::scoped_lock lock(submitted_mutex);
      calls.swap(submitted);
    }
    for (auto& call : calls) run_one(call);
  }

  static void run_one(const std::function<void()>& call) noexcept {
    try {
      call();
    } catch (const std::exception& thrown) {
      log::error("a call that was submitted to an event loop failed: {}", thrown.what());
    } catch (...) {
      log::error(
          "a call that was submitted to an event loop threw an exception of an unknown type");
    }
  }

  event_loop& owner;
  uv_loop_t own_loop;
  uv_loop_t* loop;
  int open_handles = 3;
  bool runs = false;
  uv_idle_t idle;  // active while something is ready, so that polling does not block
  uv_timer_t timer;
  uv_async_t wake;
  intrusive_list<ready_item> ready;
  timer_queue timers;
  std::mutex submitted_mutex;
  std::vector<std::function<void()>> submitted;
};

event_loop::event_loop() : core_(new core(*this, nullptr)) {}

event_loop::event_loop(uv_loop_s& running) : core_(new core(*this, &running)) {}

event_loop::~event_loop() {
  while (loop_resident* const left = residents_.pop_front()) left->close();
  if (core_->loop != &core_->own_loop) {
    core_->leave();
    return;
  }
  for (const auto& type : open_handles())
    log::error("an event loop was destroyed with an open handle of type {}", type);
  uv_walk(
      core_->loop,
      [](uv_handle_t* handle, void*) {
        if (!uv_is_closing(handle)) uv_close(handle, nullptr);
      },
      nullptr);
  // A uv_stop that no run has seen yet makes one uv_run return early.
  do uv_run(core_->loop, UV_RUN_DEFAULT);
  while (uv_loop_close(core_->loop) == UV_EBUSY);
  delete core_;
}

event_loop::running_mark::running_mark(event_loop& marked) : loop_(marked) {
  const bool embedded = marked.core_->loop != &marked.core_->own_loop;
  if (embedded || marked.core_->runs)
    throw error(embedded
                    ? "cannot run an event loop: another program's loop runs it; begin the task "
                      "by root_task"
                    : "cannot run an event loop: it runs already; await the task instead",
                std::make_error_code(std::errc::operation_not_permitted));
  marked.core_->runs = true;
}

event_loop::running_mark::~running_mark() { loop_.core_->runs = false; }

void event_loop::enter() { uv_run(core_->loop, UV_RUN_DEFAULT); }

void event_loop::leave() noexcept { uv_stop(core_->loop); }

void event_loop::submit(std::function<void()> call) {
  {
    const std::scoped_lock lock(core_->submitted_mutex);
    core_->submitted.push_back(std::move(call));
  }
  uv_async_send(&core_->wake);
}

void event_loop::stop(stop_reason why) {
  submit([this, why] { stop_.request_stop(why); });
}

std::vector<std::string> event_loop::open_handles() const {
  struct found {
    const core* loop;
    std::vector<std::string> types;
  } seen{core_, {}};
  uv_walk(
      core_->loop,
      [](uv_handle_t* handle, void* data) {
        auto& into = *static_cast<found*>(data);
        if (!into.loop->own(handle) && !uv_is_closing(handle) && uv_has_ref(handle))
          into.types.emplace_back(uv_handle_type_name(handle->type));
      },
      &seen);
  return seen.types;
}

void event_loop::post(ready_item& item) noexcept {
  if (core_->ready.empty())
    uv_idle_start(&core_->idle,
                  [](uv_idle_t* handle) { static_cast<core*>(handle->data)->run_ready(); });
  core_->ready.push_back(item);
}

void event_loop::arm(timer_item& timer, steady_time due) {
  const auto earliest = core_->timers.next_due();
  core_->timers.arm(timer, due);
  if (!earliest || due < *earliest) core_->schedule();
}

void event_loop::disarm(timer_item& timer) noexcept {
  core_->timers.disarm(timer);
  if (!core_->timers.next_due()) uv_timer_stop(&core_->timer);
}

uv_loop_s* event_loop::native() noexcept { return core_->loop; }

event_loop& event_loop::of(const execution_context& context) {
  // No other executor has a native loop.
  if (!context.loop || !context.loop->native())
    throw std::logic_error("berth: this task needs an event_loop to run on");
  return static_cast<event_loop&>(*context.loop);
}

}  // namespace berth
