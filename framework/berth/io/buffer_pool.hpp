// Buffers of 64 KiB for streams, which hold one only while there are bytes in it. Each thread keeps
// a few free ones and returns the rest to the system, so that a burst over thousands of connections
// does not leave its memory behind. Private to io/.
#pragma once

#include <cstddef>

namespace berth {

class pooled_buffer {
 public:
  static constexpr std::size_t size = 64 * 1024;

  pooled_buffer() noexcept = default;
  pooled_buffer(const pooled_buffer&) = delete;
  pooled_buffer& operator=(const pooled_buffer&) = delete;
  ~pooled_buffer() { release(); }

  /// Takes a buffer, unless it has one; false if the system has no memory.
  bool acquire() noexcept {
    if (!bytes_) take();
    return bytes_ != nullptr;
  }
  void release() noexcept {
    if (bytes_) give_back();
  }
  std::byte* get() const noexcept { return bytes_; }
  explicit operator bool() const noexcept { return bytes_ != nullptr; }

 private:
  void take() noexcept;
  void give_back() noexcept;

  std::byte* bytes_ = nullptr;
};

/// Maps memory from the system, not from the heap, which would keep it. Null if there is none.
std::byte* map_buffer(std::size_t size) noexcept;
void unmap_buffer(std::byte* buffer, std::size_t size) noexcept;

}  // namespace berth
