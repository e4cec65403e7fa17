// Memory for coroutine frames: free lists by size, one set a thread, so that a task in steady
// state allocates nothing. A frame may be freed on another thread than the one that made it; it
// then serves that thread. Under a sanitizer every frame comes from the heap, so that a use after
// its end is seen.
#pragma once

#include <cstddef>

namespace berth::frame_pool {

void* allocate(std::size_t bytes);
void release(void* memory, std::size_t bytes) noexcept;

}  // namespace berth::frame_pool
