// Runs a blocking callable on libuv's thread pool instead of the loop. Cancelled before it has
// begun, or not begun by its deadline, it never runs; once it runs it is awaited, so it may refer
// to objects of the awaiting coroutine. The co_await rethrows its exception.
//
// Name the callable first and move it: GCC 12 destroys twice a lambda made inside a co_await.
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <berth/coro/waiter.hpp>

namespace berth {

/// The part of a job that does not depend on the type of its callable.
class pool_job : public waiter {
 protected:
  explicit pool_job(deadline until) noexcept : until_(until) {}
  pool_job(pool_job&& other) noexcept : waiter(std::move(other)), until_(other.until_) {}
  ~pool_job() = default;

  bool enqueue(std::coroutine_handle<> awaiting, const execution_context& context);
  /// Calls the callable, on a thread of the pool.
  virtual void work() noexcept = 0;
  /// Whether it has run; false if it was cancelled before.
  bool ran() const noexcept { return ran_; }
  failure why_not() const noexcept;

 private:
  struct request;
  bool abandon() noexcept override;

  deadline until_;
  request* request_ = nullptr;
  bool ran_ = false;
  int status_ = 0;
};

template <typename Function>
class [[nodiscard]] offload_awaiter final : private pool_job {
 public:
  using value_type = std::invoke_result_t<Function&>;

  offload_awaiter(Function function, deadline until) noexcept
      : pool_job(until), function_(std::move(function)) {}
  offload_awaiter(offload_awaiter&& other) noexcept
      : pool_job(std::move(other)), function_(std::move(other.function_)) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    return enqueue(awaiting, awaiting.promise().context());
  }
  result<value_type> await_resume() {
    if (!ran()) return why_not();
    if (thrown_) std::rethrow_exception(thrown_);
    if constexpr (std::is_void_v<value_type>)
      return {};
    else
      return std::move(*value_);
  }

 private:
  struct nothing {};
  using stored = std::conditional_t<std::is_void_v<value_type>, nothing, value_type>;

  void work() noexcept override {
    try {
      if constexpr (std::is_void_v<value_type>)
        function_();
      else
        value_.emplace(function_());
    } catch (...) {
      thrown_ = std::current_exception();
    }
  }

  Function function_;
  std::optional<stored> value_;
  std::exception_ptr thrown_;
};

template <typename Function>
offload_awaiter<Function> offload(Function function, deadline until = deadline::never()) noexcept {
  return offload_awaiter<Function>(std::move(function), until);
}

}  // namespace berth
