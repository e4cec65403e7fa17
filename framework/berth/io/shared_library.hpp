// A shared object that is loaded until this is destroyed. The system's loader keeps one with
// thread-local data for as long as the threads that used it. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>

namespace berth {

class shared_library {
 public:
  /// Throws berth::error, with the system's message, if it cannot be loaded.
  explicit shared_library(const std::filesystem::path& path);
  shared_library(const shared_library&) = delete;
  shared_library& operator=(const shared_library&) = delete;
  ~shared_library();

  /// Null if it exports no such name.
  void* symbol(const char* name) const noexcept;

 private:
  struct core;
  std::unique_ptr<core> core_;
};

}  // namespace berth
