// Gives a task a name for as long as it runs, so that a loop can list its live tasks, for instance
// those that a shutdown waits for. Costs one coroutine frame per named task; other tasks cost
// nothing.
#pragma once

#include <string>
#include <utility>

#include <berth/coro/task.hpp>

namespace berth {

template <typename T>
task<T> named(std::string name, task<T> running) {
  const auto here = co_await current_context();
  const live_task alive(*here.loop, std::move(name));
  if constexpr (std::is_void_v<T>) {
    co_await std::move(running);
  } else {
    auto value = co_await std::move(running);
    co_return value;
  }
}

}  // namespace berth
