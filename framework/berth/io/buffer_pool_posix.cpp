#include <sys/mman.h>

#include <berth/io/buffer_pool.hpp>

namespace berth {

std::byte* map_buffer(std::size_t size) noexcept {
  void* const mapped =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mapped == MAP_FAILED ? nullptr : static_cast<std::byte*>(mapped);
}

void unmap_buffer(std::byte* buffer, std::size_t size) noexcept { ::munmap(buffer, size); }

}  // namespace berth
