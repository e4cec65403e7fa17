// Runs awaitables concurrently and returns the result of the first that ends, as a variant whose
// index says which one that was (std::monostate for void). The losers are cancelled *and awaited*
// before when_any returns, so none of them runs on; their results are dropped. If the first throws,
// its exception is rethrown.
#pragma once

#include <tuple>
#include <utility>
#include <variant>

#include <berth/coro/as_task.hpp>
#include <berth/coro/task_group.hpp>

namespace berth {

template <typename... T>
class when_any_awaiter : private task_group {
 public:
  using value_type = std::variant<group_value_t<T>...>;

  explicit when_any_awaiter(task<T>... tasks) noexcept : tasks_(std::move(tasks)...) {}
  when_any_awaiter(when_any_awaiter&& other) noexcept
      : task_group(std::move(other)), tasks_(std::move(other.tasks_)) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    open(awaiting, awaiting.promise().context());
    std::apply([this](auto&... each) { (start(each.promise()), ...); }, tasks_);
    return close();
  }
  value_type await_resume() { return take(std::index_sequence_for<T...>{}); }

 private:
  void on_end(task_promise_base& promise) noexcept override {
    if (winner_) return;
    winner_ = &promise;
    stop(stop_reason::sibling_won);
  }

  template <std::size_t... I>
  value_type take(std::index_sequence<I...>) {
    std::optional<value_type> value;
    ((&std::get<I>(tasks_).promise() == winner_
          ? void(value.emplace(std::in_place_index<I>, group_value<T>::take(std::get<I>(tasks_))))
          : void()),
     ...);
    return std::move(*value);
  }

  std::tuple<task<T>...> tasks_;
  const task_promise_base* winner_ = nullptr;
};

template <typename... Awaitables>
auto when_any(Awaitables... awaitables) {
  static_assert(sizeof...(Awaitables) > 0, "when_any needs at least one awaitable");
  return when_any_awaiter<awaited_t<Awaitables>...>(as_task(std::move(awaitables))...);
}

}  // namespace berth
