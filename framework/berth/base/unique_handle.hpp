// Owns a file descriptor or handle of the operating system, and closes it once. Movable, not
// copyable; for one thread at a time.
#pragma once

#include <utility>

namespace berth {

#ifdef _WIN32
using native_handle = void*;
inline native_handle no_handle() noexcept { return reinterpret_cast<void*>(-1); }
#else
using native_handle = int;
inline native_handle no_handle() noexcept { return -1; }
#endif

/// Defined per platform, as is last_system_error.
void close_native(native_handle handle) noexcept;

class unique_handle {
 public:
  unique_handle() noexcept = default;
  explicit unique_handle(native_handle handle) noexcept : handle_(handle) {}
  unique_handle(unique_handle&& other) noexcept
      : handle_(std::exchange(other.handle_, no_handle())) {}
  unique_handle& operator=(unique_handle&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, no_handle());
    }
    return *this;
  }
  ~unique_handle() { reset(); }

  native_handle get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return handle_ != no_handle(); }
  void reset() noexcept {
    if (*this) close_native(std::exchange(handle_, no_handle()));
  }

 private:
  native_handle handle_ = no_handle();
};

}  // namespace berth
