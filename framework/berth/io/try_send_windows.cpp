#include <algorithm>

#include <berth/io/try_send.hpp>

namespace berth {

int try_send(uv_stream_t& socket, std::span<const std::byte> bytes) noexcept {
  const std::size_t size = std::min(bytes.size(), most_sent_at_once);
  auto* const begin = reinterpret_cast<char*>(const_cast<std::byte*>(bytes.data()));
  const uv_buf_t buffer = uv_buf_init(begin, static_cast<unsigned>(size));
  return uv_try_write(&socket, &buffer, 1);
}

}  // namespace berth
