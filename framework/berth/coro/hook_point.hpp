// An extension point: typed hooks, awaited in the order of their priority (higher first) and then
// of their registration, each with a time limit. A hook that exceeds its limit is cancelled, and
// counts as one that throws. Firing a point without hooks costs one branch. On one thread at a
// time; hooks may add and remove hooks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <berth/base/error.hpp>
#include <berth/coro/task.hpp>

namespace berth {

using hook_id = std::uint64_t;

/// The default time limit of a hook.
inline constexpr std::chrono::milliseconds usual_hook_time{5000};

/// Counts all hooks of a service since it was constructed. Thread-safe.
struct hook_statistics {
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> failures{0};
  std::atomic<std::uint64_t> nanoseconds{0};
};

/// A hook threw an exception, or took too long.
class hook_failed : public error {
 public:
  hook_failed(std::string_view hook, std::string_view point, std::string_view why);
};

/// What a point knows of a hook besides its function.
struct hook_entry {
  hook_id id;
  int priority;
  std::chrono::milliseconds within;
  std::string name;
};

/// The part of a point that does not depend on the arguments of its hooks.
class hook_caller {
 public:
  std::string_view name() const noexcept { return name_; }

 protected:
  hook_caller(std::string_view name, hook_statistics& statistics)
      : name_(name), statistics_(statistics) {}
  /// Starts `called` under the hook's time limit, and counts it. Throws hook_failed.
  task<> call_one(const hook_entry& hook, std::function<task<>()> called);
  /// The same for a hook whose failure is logged.
  task<> call_and_log(const hook_entry& hook, std::function<task<>()> called);

 private:
  std::string_view name_;
  hook_statistics& statistics_;
};

/// Awaits the hooks of a point; completes at once if there are none.
class [[nodiscard]] fired_hooks {
 public:
  fired_hooks() noexcept = default;
  explicit fired_hooks(task<> calls) noexcept : calls_(std::move(calls)) {}

  bool await_ready() const noexcept { return !calls_; }
  template <has_context Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    return calls_->promise().begin(awaiting, awaiting.promise().context());
  }
  void await_resume() const {
    if (calls_) calls_->promise().take();
  }

 private:
  std::optional<task<>> calls_;
};

template <typename... Args>
class hook_point : public hook_caller {
 public:
  using function = std::function<task<>(Args...)>;

  hook_point(std::string_view name, hook_statistics& statistics) : hook_caller(name, statistics) {}

  hook_id add(std::string name, function called, int priority = 0,
              std::chrono::milliseconds within = usual_hook_time) {
    auto entry = std::make_shared<hook>(
        hook{{++last_id_, priority, within, std::move(name)}, std::move(called)});
    auto behind = hooks_.begin();
    while (behind != hooks_.end() && (*behind)->priority >= priority) ++behind;
    hooks_.insert(behind, std::move(entry));
    return last_id_;
  }
  void remove(hook_id id) {
    std::erase_if(hooks_, [id](const auto& each) { return each->id == id; });
  }
  bool empty() const noexcept { return hooks_.empty(); }

  /// Calls the hooks until one throws; then throws hook_failed.
  fired_hooks fire_or_throw(Args... arguments) {
    return empty() ? fired_hooks() : fired_hooks(call_or_throw(arguments...));
  }
  /// Calls all hooks, and logs their exceptions.
  fired_hooks fire(Args... arguments) {
    return empty() ? fired_hooks() : fired_hooks(call(arguments...));
  }

 private:
  struct hook : hook_entry {
    function called;
  };

  task<> call_or_throw(Args... arguments) {
    const auto hooks = hooks_;  // a hook may remove itself, or others
    for (const auto& each : hooks) {
      std::function<task<>()> called = [&] { return each->called(arguments...); };
      co_await call_one(*each, std::move(called));
    }
  }
  task<> call(Args... arguments) {
    const auto hooks = hooks_;
    for (const auto& each : hooks) {
      std::function<task<>()> called = [&] { return each->called(arguments...); };
      co_await call_and_log(*each, std::move(called));
    }
  }

  std::vector<std::shared_ptr<const hook>> hooks_;
  hook_id last_id_ = 0;
};

}  // namespace berth
