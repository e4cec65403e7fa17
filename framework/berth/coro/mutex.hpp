// A mutex that a coroutine may hold while it is suspended, unlike a std::mutex, which would block
// the thread. First come, first served. One thread; destroy it unlocked.
//
//   const auto held = co_await exclusive.lock();
//   if (!held) co_return;  // cancelled
#pragma once

#include <utility>

#include <berth/coro/semaphore.hpp>

namespace berth {

class mutex {
 public:
  /// Holds the mutex until it is destroyed.
  class [[nodiscard]] holder {
   public:
    explicit holder(mutex& of) noexcept : of_(&of) {}
    holder(holder&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    holder& operator=(holder&& other) noexcept {
      std::swap(of_, other.of_);
      return *this;
    }
    ~holder() {
      if (of_) of_->permit_.release();
    }

   private:
    mutex* of_;
  };

  class [[nodiscard]] awaiter : public semaphore::awaiter {
   public:
    awaiter(mutex& of, deadline until) noexcept : semaphore::awaiter(of.permit_, until), of_(of) {}
    result<holder> await_resume() const noexcept {
      const auto taken = semaphore::awaiter::await_resume();
      if (!taken) return taken.failure();
      return holder(of_);
    }

   private:
    mutex& of_;
  };

  awaiter lock(deadline until = deadline::never()) noexcept { return awaiter(*this, until); }
  bool is_locked() const noexcept { return permit_.free() == 0; }

 private:
  semaphore permit_{1};
};

}  // namespace berth
