// A point at which others add behaviour: hooks, typed, awaited in the order of their priority
// (higher first) and then of their registration, removable, each with a time that it may take. One
// that exceeds it is cancelled, and counts as one that throws. Firing a point without hooks costs a
// branch. On one thread at a time; hooks may add and remove hooks.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/log.hpp>
#include <berth/coro/task.hpp>
#include <berth/coro/timeout.hpp>

namespace berth {

using hook_id = std::uint64_t;

/// How long a hook may take unless it is told otherwise.
inline constexpr std::chrono::milliseconds usual_hook_time{5000};

/// Of all hooks of a service since it was made. Any thread.
struct hook_statistics {
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> failures{0};
  std::atomic<std::uint64_t> nanoseconds{0};
};

/// What a hook threw, or that it took too long.
class hook_failed : public error {
 public:
  hook_failed(std::string_view hook, std::string_view point, std::string_view why)
      : error(fmt::format("hook \"{}\" at \"{}\" failed: {}", hook, point, why),
              std::make_error_code(std::errc::operation_canceled)) {}
};

/// The hooks of a point being called; done at once where there are none.
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
class hook_point {
 public:
  using function = std::function<task<>(Args...)>;

  hook_point(std::string_view name, hook_statistics& statistics)
      : name_(name), statistics_(statistics) {}

  hook_id add(std::string name, function called, int priority = 0,
              std::chrono::milliseconds within = usual_hook_time) {
    auto entry = std::make_shared<hook>(
        hook{++last_id_, priority, within, std::move(name), std::move(called)});
    const auto behind = std::find_if(hooks_.begin(), hooks_.end(), [priority](const auto& other) {
      return other->priority < priority;
    });
    hooks_.insert(behind, std::move(entry));
    return last_id_;
  }
  void remove(hook_id id) {
    std::erase_if(hooks_, [id](const auto& each) { return each->id == id; });
  }
  bool empty() const noexcept { return hooks_.empty(); }
  std::string_view name() const noexcept { return name_; }

  /// Stops at the first that throws, with hook_failed.
  fired_hooks fire_or_throw(Args... arguments) {
    return empty() ? fired_hooks() : fired_hooks(call_or_throw(arguments...));
  }
  /// Calls all, logging what they throw.
  fired_hooks fire(Args... arguments) {
    return empty() ? fired_hooks() : fired_hooks(call(arguments...));
  }

 private:
  struct hook {
    hook_id id;
    int priority;
    std::chrono::milliseconds within;
    std::string name;
    function called;
  };

  task<> call_or_throw(Args... arguments) {
    const auto hooks = hooks_;  // a hook may remove itself, or others
    for (const auto& each : hooks) co_await call_one(*each, arguments...);
  }
  task<> call(Args... arguments) {
    const auto hooks = hooks_;
    for (const auto& each : hooks) {
      try {
        co_await call_one(*each, arguments...);
      } catch (const hook_failed& failed) {
        log::error("{}", failed.what());
      }
    }
  }

  task<> call_one(const hook& one, Args... arguments) {
    const auto begun = std::chrono::steady_clock::now();
    std::string why;
    try {
      const auto ended = co_await timeout(one.within, one.called(arguments...));
      if (!ended)
        why = fmt::format("it took longer than {} ms, and was cancelled", one.within.count());
    } catch (const std::exception& failed) {
      why = failed.what();
    } catch (...) {
      why = "it threw what is no exception";
    }
    statistics_.calls += 1;
    statistics_.nanoseconds +=
        static_cast<std::uint64_t>((std::chrono::steady_clock::now() - begun).count());
    if (why.empty()) co_return;
    statistics_.failures += 1;
    throw hook_failed(one.name, name_, why);
  }

  std::string_view name_;
  hook_statistics& statistics_;
  std::vector<std::shared_ptr<const hook>> hooks_;
  hook_id last_id_ = 0;
};

}  // namespace berth
