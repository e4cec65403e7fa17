// A coroutine that produces values one by one with co_yield, and may wait in between. It runs only
// while a task awaits its next value, on the loop and under the stop token of that task. Destroy it
// only while no task awaits it.
//
//   auto lines = lines_of(stream);
//   for (;;) {
//     auto line = co_await lines.next();
//     if (!line) break;
//     …
//   }
#pragma once

#include <optional>
#include <utility>

#include <berth/coro/task.hpp>

namespace berth {

template <typename T>
class [[nodiscard]] generator {
 public:
  class promise_type;
  class [[nodiscard]] next_awaiter;

  generator(generator&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  generator& operator=(generator&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~generator() {
    if (handle_) handle_.destroy();
  }

  /// The next value; nullopt if there are no more. Throws what the coroutine throws.
  next_awaiter next() noexcept { return next_awaiter(handle_); }

 private:
  using handle_type = std::coroutine_handle<promise_type>;
  explicit generator(handle_type handle) noexcept : handle_(handle) {}
  handle_type handle_;
};

template <typename T>
class generator<T>::promise_type final : public task_promise_base {
 public:
  generator get_return_object() noexcept {
    static_assert(has_usual_alignment<promise_type>,
                  "a generator cannot yield over-aligned values");
    return generator(handle_type::from_promise(*this));
  }
  void return_void() const noexcept {}
  auto yield_value(T value) {
    value_.emplace(std::move(value));
    return final_suspend();  // resumes the awaiting task, as at the end
  }

 private:
  friend next_awaiter;
  std::optional<T> value_;
  bool running_ = false;
};

template <typename T>
class generator<T>::next_awaiter {
 public:
  explicit next_awaiter(handle_type from) noexcept : from_(from) {}
  bool await_ready() const {
    if (from_ && from_.promise().running_)
      throw error("cannot await the next value of a generator: another task awaits it already",
                  std::make_error_code(std::errc::device_or_resource_busy));
    return !from_ || from_.done();
  }
  template <has_context Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) const noexcept {
    from_.promise().running_ = true;
    return from_.promise().begin(awaiting, awaiting.promise().context());
  }
  std::optional<T> await_resume() const {
    if (!from_) return std::nullopt;
    promise_type& promise = from_.promise();
    promise.running_ = false;
    if (promise.has_thrown()) std::rethrow_exception(promise.thrown());
    return std::exchange(promise.value_, std::nullopt);
  }

 private:
  handle_type from_;
};

}  // namespace berth
