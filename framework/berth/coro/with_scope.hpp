// Runs a function in a scope that is joined on every way out: when the function returns, when it
// throws, and when a task of the scope throws. The function and the tasks run under the scope's
// stop: the first of them that throws cancels all others, and its exception is rethrown.
//
//   const auto serve = [](berth::scope& tasks, berth::tcp_listener& listener) -> berth::task<> {
//     for (;;) {
//       auto client = co_await listener.accept();
//       if (!client) co_return;
//       tasks.spawn(echo(std::move(*client)));
//     }
//   };
//   co_await berth::with_scope(serve, std::ref(listener));
#pragma once

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <berth/coro/scope.hpp>

namespace berth {

/// Awaits a task in another context than that of the coroutine that awaits it.
template <typename T>
class [[nodiscard]] in_context {
 public:
  in_context(const execution_context& context, task<T> running)
      : context_(context), running_(std::move(running)) {
    running_.check_can_begin();
  }
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
    return running_.promise().begin(awaiting, context_);
  }
  T await_resume() const { return running_.promise().take(); }

 private:
  execution_context context_;
  task<T> running_;
};

template <typename Function, typename... Args>
using scoped_result_t =
    typename std::invoke_result_t<Function&, scope&, std::unwrap_reference_t<Args>&...>::value_type;

/// Awaits `function(scope, arguments...)`, which returns a task, and then every task of the scope;
/// returns the function's result. The function's return does not cancel the tasks; it may call
/// scope::cancel. Function and arguments are kept until then; pass std::ref to avoid a copy.
template <typename Function, typename... Args>
task<scoped_result_t<Function, Args...>> with_scope(Function function, Args... arguments) {
  using value_type = scoped_result_t<Function, Args...>;
  const auto here = co_await current_context();
  scope tasks(here);
  if constexpr (std::is_void_v<value_type>) {
    try {
      in_context<void> body(
          tasks.context(),
          function(tasks, static_cast<std::unwrap_reference_t<Args>&>(arguments)...));
      co_await body;
    } catch (...) {
      tasks.fail(std::current_exception());
    }
    co_await tasks.join();
  } else {
    std::optional<value_type> value;
    try {
      in_context<value_type> body(
          tasks.context(),
          function(tasks, static_cast<std::unwrap_reference_t<Args>&>(arguments)...));
      value.emplace(co_await body);
    } catch (...) {
      tasks.fail(std::current_exception());
    }
    co_await tasks.join();
    co_return std::move(*value);
  }
}

}  // namespace berth
