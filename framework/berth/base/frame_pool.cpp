#include <berth/base/frame_pool.hpp>

#include <utility>

#ifndef BERTH_FRAMES_FROM_HEAP

namespace berth::frame_pool::detail {
namespace {

/// Opens this thread's lists, and returns their frames to the heap when the thread ends; frames
/// that are freed later go there at once.
struct thread_end {
  thread_end() noexcept {
    for (auto& list : lists) list.room = kept_per_class;
  }
  ~thread_end() {
    for (auto& list : lists) {
      while (list.head) ::operator delete(std::exchange(list.head, list.head->next));
      list.room = 0;
    }
  }
};

}  // namespace

void* allocate_new(std::size_t bytes) {
  static thread_local const thread_end at_end;
  (void)at_end;
  return ::operator new((class_of(bytes) + 1) * granularity);
}

void give_back(void* memory) noexcept { ::operator delete(memory); }

}  // namespace berth::frame_pool::detail

#endif
