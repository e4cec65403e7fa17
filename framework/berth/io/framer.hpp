// Cuts what arrives from a stream, piece by piece, into what was meant: lines, or messages that
// begin with their length. They own no socket: feed them what was read and take what is whole. Each
// has a limit, so that a peer cannot fill the memory; beyond it nothing more comes. Plain values.
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

/// What was fed and not taken yet. The common part of the framers.
class frame_buffer {
 public:
  /// Copies `piece`. Views that were given before end with that.
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

  /// The next line without its end, valid until something is fed; nothing while none is whole.
  std::optional<std::string_view> next() noexcept;
  /// A line is longer than allowed: no line will come any more.
  bool too_long() const noexcept { return too_long_; }

 private:
  std::size_t longest_;
  std::size_t searched_ = 0;  // of what is waiting, and without an end
  bool too_long_ = false;
};

/// Messages that begin with their length: four bytes, the most significant first, not counted.
class length_framer : public frame_buffer {
 public:
  explicit length_framer(std::size_t longest = 1024 * 1024) noexcept : longest_(longest) {}

  /// What to send before a message of that many bytes.
  static std::array<std::byte, 4> header(std::uint32_t size) noexcept;

  /// The next message, valid until something is fed; nothing while none is whole.
  std::optional<std::string_view> next() noexcept;
  /// A message says it is longer than allowed: none will come any more.
  bool too_long() const noexcept { return too_long_; }

 private:
  std::size_t longest_;
  bool too_long_ = false;
};

}  // namespace berth
