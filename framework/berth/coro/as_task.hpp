// Turns anything awaitable into a task, so that when_all, when_any and timeout take a read or a
// sleep as readily as a task. A task passes through unchanged.
#pragma once

#include <type_traits>
#include <utility>

#include <berth/coro/task.hpp>

namespace berth {

template <typename T>
task<T> as_task(task<T> already) noexcept {
  return already;
}

template <typename Awaiter>
requires requires(Awaiter awaiter) { awaiter.await_resume(); }
auto as_task(Awaiter awaiter) -> task<decltype(awaiter.await_resume())> {
  co_return co_await std::move(awaiter);
}

/// What awaiting a thing of this type gives.
template <typename Awaitable>
using awaited_t = typename decltype(as_task(std::declval<Awaitable>()))::value_type;

}  // namespace berth
