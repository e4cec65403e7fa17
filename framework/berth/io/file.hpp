// Files. Each operation is one job on the thread pool: cancelled before it has begun, it does
// nothing; once begun, it is awaited. Failures of the file system are thrown as berth::error; an
// operation that was cancelled, or whose deadline passed before it began, is a failure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include <berth/base/result.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/task.hpp>

namespace berth {

/// The whole file; an error if it is larger than `most` bytes.
task<result<std::string>> read_file(std::filesystem::path path, std::size_t most = 64u << 20,
                                    deadline until = deadline::never());

/// Creates the file or replaces its content. Not atomic: a reader may see a part.
task<result<void>> write_file(std::filesystem::path path, std::string content,
                              deadline until = deadline::never());

enum class file_mode {
  read,       ///< a file that exists
  write,      ///< reading too; creates a missing file, keeps the content
  write_new,  ///< reading too; an error if it exists
};

/// An open file, read and written in ranges. Destroy it, on any thread, with no operation under
/// way.
class file {
 public:
  static task<result<file>> open(std::filesystem::path path, file_mode mode = file_mode::read,
                                 deadline until = deadline::never());
  file(file&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  file& operator=(file&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~file();

  /// Reads from `offset` on until `into` is full or the file ends; returns the number of bytes.
  task<result<std::size_t>> read_at(std::uint64_t offset, std::span<std::byte> into,
                                    deadline until = deadline::never());
  /// Writes all of `content`, from `offset` on.
  task<result<void>> write_at(std::uint64_t offset, std::span<const std::byte> content,
                              deadline until = deadline::never());
  /// The size in bytes.
  task<result<std::uint64_t>> size(deadline until = deadline::never());
  /// Waits until the written content is on the disk.
  task<result<void>> sync(deadline until = deadline::never());

 private:
  file(std::filesystem::path path, int descriptor) noexcept
      : path_(std::move(path)), descriptor_(descriptor) {}

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace berth
