// Turns anything awaitable into a task, so that when_all, when_any and timeout take a read or a
// sleep as readily as a task. A task passes through unchanged; one that was moved from, or awaited
// before, throws berth::error.
#pragma once

#include <type_traits>
#include <utility>

#include <berth/coro/task.hpp>

namespace berth {

template <typename T>
task<T> as_task(task<T> already) {
  already.check_can_begin();
  return already;
}

template <typename Awaiter>
  requires requires(Awaiter awaiter) { awaiter.await_resume(); }
auto as_task(Awaiter awaiter) -> task<decltype(awaiter.await_resume())> {
  co_return co_await std::move(awaiter);
}

/// The type of the result of awaiting this type.
template <typename Awaitable>
using awaited_t = typename decltype(as_task(std::declval<Awaitable>()))::value_type;

}  // namespace berth
