// Runs awaitables concurrently and returns all their results: a tuple (std::monostate for void), or
// a vector for a vector of tasks. The first that throws cancels the others; all are awaited, and
// its exception is rethrown.
#pragma once

#include <tuple>
#include <vector>

#include <berth/coro/as_task.hpp>
#include <berth/coro/task_group.hpp>

namespace berth {

class all_group : public task_group {
 protected:
  void on_end(task_promise_base& promise) noexcept override {
    if (!promise.has_thrown() || first_thrown_) return;
    first_thrown_ = promise.thrown();
    stop(stop_reason::sibling_failed);
  }
  void rethrow_first() const {
    if (first_thrown_) std::rethrow_exception(first_thrown_);
  }

 private:
  std::exception_ptr first_thrown_;
};

template <typename... T>
class when_all_awaiter : private all_group {
 public:
  explicit when_all_awaiter(task<T>... tasks) noexcept : tasks_(std::move(tasks)...) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    open(awaiting, awaiting.promise().context());
    std::apply([this](auto&... each) { (start(each.promise()), ...); }, tasks_);
    return close();
  }
  std::tuple<group_value_t<T>...> await_resume() {
    rethrow_first();
    return std::apply(
        [](auto&... each) {
          return std::tuple<group_value_t<T>...>(group_value<T>::take(each)...);
        },
        tasks_);
  }

 private:
  std::tuple<task<T>...> tasks_;
};

template <typename T>
class when_all_vector_awaiter : private all_group {
 public:
  explicit when_all_vector_awaiter(std::vector<task<T>> tasks) noexcept
      : tasks_(std::move(tasks)) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    open(awaiting, awaiting.promise().context());
    for (auto& each : tasks_) start(each.promise());
    return close();
  }
  std::vector<group_value_t<T>> await_resume() {
    rethrow_first();
    std::vector<group_value_t<T>> values;
    values.reserve(tasks_.size());
    for (auto& each : tasks_) values.push_back(group_value<T>::take(each));
    return values;
  }

 private:
  std::vector<task<T>> tasks_;
};

template <typename... Awaitables>
auto when_all(Awaitables... awaitables) {
  return when_all_awaiter<awaited_t<Awaitables>...>(as_task(std::move(awaitables))...);
}

template <typename T>
auto when_all(std::vector<task<T>> tasks) {
  for (const auto& each : tasks) each.check_can_begin();
  return when_all_vector_awaiter<T>(std::move(tasks));
}

}  // namespace berth
