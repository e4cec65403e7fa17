#include <berth/base/frame_pool.hpp>

#include <array>
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

void* allocate(std::size_t bytes) { return ::operator new(bytes); }
void release(void* memory, std::size_t) noexcept { ::operator delete(memory); }

#else

namespace {

constexpr std::size_t granularity = 64;
constexpr std::size_t classes = 32;           // frames of up to 2 KiB
constexpr std::size_t kept_per_class = 1024;  // bounds what a burst leaves behind

struct free_frame {
  free_frame* next;
};

struct free_list {
  free_frame* head = nullptr;
  std::size_t length = 0;
};

struct thread_lists {
  std::array<free_list, classes> lists;
  ~thread_lists() {
    for (auto& list : lists) {
      while (list.head) {
        free_frame* const frame = list.head;
        list.head = frame->next;
        ::operator delete(frame);
      }
      list.length = kept_per_class;  // frames freed by later destructors go to the heap
    }
  }
};

thread_local thread_lists local;

constexpr std::size_t class_of(std::size_t bytes) {
  return (bytes + granularity - 1) / granularity - 1;
}

}  // namespace

void* allocate(std::size_t bytes) {
  const std::size_t index = class_of(bytes);
  if (index >= classes) return ::operator new(bytes);
  free_list& list = local.lists[index];
  if (!list.head) return ::operator new((index + 1) * granularity);
  free_frame* const frame = list.head;
  list.head = frame->next;
  --list.length;
  return frame;
}

void release(void* memory, std::size_t bytes) noexcept {
  const std::size_t index = class_of(bytes);
  if (index >= classes || local.lists[index].length >= kept_per_class) {
    ::operator delete(memory);
    return;
  }
  free_list& list = local.lists[index];
  list.head = new (memory) free_frame{list.head};
  ++list.length;
}

#endif

}  // namespace berth::frame_pool
