// A shared object that is loaded until this ends; what has data of its own for each thread, the
// system's loader keeps for as long as these threads. Any thread.
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
