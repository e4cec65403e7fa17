#include <berth/io/framer.hpp>

#include <algorithm>
#include <utility>

namespace berth {

void frame_buffer::feed(std::span<const std::byte> received) {
  bytes_.erase(0, std::exchange(begin_, 0));
  bytes_.append(reinterpret_cast<const char*>(received.data()), received.size());
}

std::optional<std::string_view> line_framer::next() noexcept {
  if (too_long_) return std::nullopt;
  const std::string_view have = waiting();
  const std::size_t end = have.find('\n', searched_);
  const std::size_t length = std::min(end, have.size());
  const std::size_t carriage_returns = length > 0 && have[length - 1] == '\r' ? 1 : 0;
  if (length - carriage_returns > longest_) {
    too_long_ = true;
    return std::nullopt;
  }
  if (end == std::string_view::npos) {
    searched_ = have.size();
    return std::nullopt;
  }
  searched_ = 0;
  skip(end + 1);
  std::string_view line = have.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::array<std::byte, 4> length_framer::header(std::uint32_t size) noexcept {
  return {std::byte(size >> 24), std::byte(size >> 16), std::byte(size >> 8), std::byte(size)};
}

std::optional<std::string_view> length_framer::next() noexcept {
  constexpr std::size_t header_size = 4;
  const std::string_view have = waiting();
  if (too_long_ || have.size() < header_size) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < header_size; ++i)
    length = length << 8 | static_cast<unsigned char>(have[i]);
  too_long_ = length > longest_;
  if (too_long_ || have.size() - header_size < length) return std::nullopt;
  skip(header_size + length);
  return have.substr(header_size, length);
}

}  // namespace berth
