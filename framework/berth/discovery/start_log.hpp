// The log of a started server: a file that its output is appended to. It keeps the newest output,
// at most 1 MiB of it, and the output before that as LOG.1. Blocks on files; thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <berth/base/unique_handle.hpp>

namespace berth {

struct start_log {
  std::filesystem::path path;
  /// A log whose place the user named may be a terminal or another device. A log that is found in a
  /// directory must be a regular file of the user's own. Neither may be a link, of either kind.
  bool is_named_by_user = false;

  static constexpr std::uintmax_t max_size = 1u << 20;

  /// Opens it for a child to append to, and creates it if needed. Does not block. Throws
  /// berth::error.
  unique_handle open() const;
  /// Throws berth::error, as open() would, if the file of its name cannot be a log. Opens and
  /// changes nothing.
  void check() const;
  /// Moves its content to LOG.1 if it has grown beyond max_size, while programs append to it. What
  /// they write at that very moment may be lost. False if it can no longer be bounded.
  bool roll() const;
  /// 0 if there is no regular file.
  std::uintmax_t size() const noexcept;
  /// The last lines written after the offset `begin`; at most 20 lines and 16 KiB. If there are
  /// none because the file system has no space for them, a line that says so.
  std::string tail(std::uintmax_t begin) const;
};

}  // namespace berth
