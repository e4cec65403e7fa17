#include <windows.h>

#include <berth/io/buffer_pool.hpp>

namespace berth {

std::byte* map_buffer(std::size_t size) noexcept {
  return static_cast<std::byte*>(
      ::VirtualAlloc(nullptr, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
}

void unmap_buffer(std::byte* buffer, std::size_t) noexcept {
  ::VirtualFree(buffer, 0, MEM_RELEASE);
}

}  // namespace berth
