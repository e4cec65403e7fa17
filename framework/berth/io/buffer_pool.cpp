#include <berth/io/buffer_pool.hpp>

#include <array>
#include <utility>

namespace berth {
namespace {

/// The free buffers of one thread. A buffer that is released after the thread's end goes back to
/// the system.
struct free_buffers {
  static constexpr std::size_t most = 16;

  ~free_buffers() {
    while (count > 0) unmap_buffer(buffers[--count], pooled_buffer::size);
    room = 0;
  }
  std::array<std::byte*, most> buffers{};
  std::size_t count = 0;
  std::size_t room = most;
};

thread_local free_buffers kept_by_thread;

}  // namespace

void pooled_buffer::take() noexcept {
  free_buffers& kept = kept_by_thread;
  bytes_ = kept.count > 0 ? kept.buffers[--kept.count] : map_buffer(size);
}

void pooled_buffer::give_back() noexcept {
  free_buffers& kept = kept_by_thread;
  std::byte* const released = std::exchange(bytes_, nullptr);
  if (kept.count < kept.room)
    kept.buffers[kept.count++] = released;
  else
    unmap_buffer(released, size);
}

}  // namespace berth
