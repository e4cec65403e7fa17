// The points of a service's life at which others add behaviour: typed, awaited in the order of
// their priority (higher first) and then of their registration, removable. A hook that throws
// before publishing stops the start, with its name in the message; one that throws later is
// logged and does not stop the others. Firing a point without hooks costs a branch. On the loop's
// thread; add and remove before run, or from hooks and handlers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/log.hpp>
#include <berth/config/settings.hpp>
#include <berth/coro/task.hpp>
#include <berth/discovery/location.hpp>
#include <berth/discovery/record.hpp>
#include <berth/io/endpoint.hpp>

namespace berth {

using hook_id = std::uint64_t;

/// What a hook threw before the service was published.
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

  explicit hook_point(std::string_view name) : name_(name) {}

  hook_id add(std::string name, function called, int priority = 0) {
    auto entry =
        std::make_shared<hook>(hook{++last_id_, priority, std::move(name), std::move(called)});
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

  /// Stops at the first that throws, with hook_failed.
  fired_hooks fire_or_throw(Args... arguments) {
    return empty() ? fired_hooks() : fired_hooks(call_or_throw(arguments...));
  }
  /// Calls all, logging what they throw.
  fired_hooks fire(Args... arguments) {
    return empty() ? fired_hooks() : fired_hooks(call(arguments...));
  }

 private:
  task<> call_or_throw(Args... arguments) {
    const auto hooks = hooks_;  // a hook may remove itself, or others
    for (const auto& each : hooks) {
      std::string why;
      try {
        co_await each->called(arguments...);
        continue;
      } catch (const std::exception& failed) {
        why = failed.what();
      }
      throw hook_failed(each->name, name_, why);
    }
  }
  task<> call(Args... arguments) {
    const auto hooks = hooks_;
    for (const auto& each : hooks) {
      try {
        co_await each->called(arguments...);
      } catch (const std::exception& failed) {
        log::error("{}", hook_failed(each->name, name_, failed.what()).what());
      }
    }
  }

  struct hook {
    hook_id id;
    int priority;
    std::string name;
    function called;
  };

  std::string_view name_;
  std::vector<std::shared_ptr<const hook>> hooks_;
  hook_id last_id_ = 0;
};

struct service_hooks {
  hook_point<server_settings&, const location&> configured{"configured"};
  hook_point<const endpoint&> bound{"bound"};
  hook_point<const record&> stale_found{"stale_found"};  ///< of a server that ended without a word
  hook_point<record&> publishing{"publishing"};          ///< may add metadata and endpoints
  hook_point<const record&> published{"published"};
  hook_point<> ready{"ready"};
  hook_point<const endpoint&> connection_opened{"connection_opened"};
  hook_point<const endpoint&> connection_closed{"connection_closed"};
  hook_point<stop_reason> draining{"draining"};
  hook_point<> unpublished{"unpublished"};
  hook_point<> stopped{"stopped"};
};

}  // namespace berth
