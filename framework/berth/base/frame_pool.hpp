// Memory for coroutine frames: a frame that one coroutine frees is reused by the next, without a
// call to the heap. Each thread keeps a list of free frames per size, bounded, so that a burst does
// not keep its memory for good; a frame may be freed on another thread than the one that made it.
// Under the address and thread sanitizers every frame comes from the heap, so that they see when it
// is freed.
#pragma once

#include <array>
#include <cstddef>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BERTH_FRAMES_FROM_HEAP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BERTH_FRAMES_FROM_HEAP 1
#endif
#endif

namespace berth::frame_pool {

#ifdef BERTH_FRAMES_FROM_HEAP

inline void* allocate(std::size_t bytes) { return ::operator new(bytes); }
inline void release(void* memory, std::size_t) noexcept { ::operator delete(memory); }

#else

namespace detail {

inline constexpr std::size_t granularity = 64;
inline constexpr std::size_t classes = 32;           // frames of up to 2 KiB
inline constexpr std::size_t kept_per_class = 1024;  // bounds what a burst leaves behind

struct free_frame {
  free_frame* next;
};

struct free_list {
  free_frame* head = nullptr;
  std::size_t room = 0;  // 0 until the thread has arranged to give its frames back
};

inline constinit thread_local std::array<free_list, classes> lists{};

constexpr std::size_t class_of(std::size_t bytes) noexcept {
  return (bytes + granularity - 1) / granularity - 1;
}

void* allocate_new(std::size_t bytes);
void give_back(void* memory) noexcept;

}  // namespace detail

inline void* allocate(std::size_t bytes) {
  const std::size_t index = detail::class_of(bytes);
  if (index >= detail::classes) return ::operator new(bytes);
  detail::free_list& list = detail::lists[index];
  if (!list.head) return detail::allocate_new(bytes);
  detail::free_frame* const frame = list.head;
  list.head = frame->next;
  ++list.room;
  return frame;
}

inline void release(void* memory, std::size_t bytes) noexcept {
  const std::size_t index = detail::class_of(bytes);
  if (index >= detail::classes || detail::lists[index].room == 0) return detail::give_back(memory);
  detail::free_list& list = detail::lists[index];
  list.head = new (memory) detail::free_frame{list.head};
  --list.room;
}

#endif

}  // namespace berth::frame_pool
