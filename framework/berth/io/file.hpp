// Files, each operation one job on the thread pool. Cancelled before it has begun, an operation
// does nothing; once begun it is awaited. Failures of the file system are berth::error, thrown.
#pragma once

#include <filesystem>
#include <string>

#include <berth/base/result.hpp>
#include <berth/coro/task.hpp>

namespace berth {

/// The whole file; an error where it is larger than `most` bytes.
task<result<std::string>> read_file(std::filesystem::path path, std::size_t most = 64u << 20);

/// Creates the file or replaces its content. Not atomic: a reader may see a part.
task<result<void>> write_file(std::filesystem::path path, std::string content);

}  // namespace berth
