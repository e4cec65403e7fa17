// Splits a stream into frames: lines, or messages that begin with their length. Framers own no
// socket: feed them the bytes that were read, and take the complete frames. Each has a limit, so
// that a peer cannot fill the memory; after a larger frame no more come. Plain values.
//
//   for (;;) {
//     const auto size = co_await client.read_some(buffer);
//     if (!size || *size == 0) break;
//     lines.feed(std::span{buffer}.first(*size));
//     while (const auto line = lines.next()) handle(*line);
//   }
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace berth {

/// The bytes that were fed and not taken yet. The common part of the framers.
class frame_buffer {
 public:
  /// Copies `piece`. Invalidates the views that were returned before.
  void feed(std::span<const std::byte> piece);

 protected:
  std::string_view waiting() const noexcept { return std::string_view(bytes_).substr(begin_); }
  void skip(std::size_t size) noexcept { begin_ += size; }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

/// Lines that end with "\n" or "\r\n".
class line_framer : public frame_buffer {
 public:
  explicit line_framer(std::size_t longest = 64 * 1024) noexcept : longest_(longest) {}

  /// The next line without its line ending, valid until the next feed; nullopt if none is complete.
  std::optional<std::string_view> next() noexcept;
  /// A line is longer than allowed: no line will come any more.
  bool too_long() const noexcept { return too_long_; }

 private:
  std::size_t longest_;
  std::size_t searched_ = 0;  // how much of the waiting bytes has no line ending
  bool too_long_ = false;
};

/// Messages that begin with their length: four bytes, big-endian, which do not count.
class length_framer : public frame_buffer {
 public:
  explicit length_framer(std::size_t longest = 1024 * 1024) noexcept : longest_(longest) {}

  /// The header to send before a message of that many bytes.
  static std::array<std::byte, 4> header(std::uint32_t size) noexcept;

  /// The next message, valid until the next feed; nullopt if none is complete.
  std::optional<std::string_view> next() noexcept;
  /// A message is longer than allowed: no message will come any more.
  bool too_long() const noexcept { return too_long_; }

 private:
  std::size_t longest_;
  bool too_long_ = false;
};

}  // namespace berth
