// A shared object that is loaded until this ends. Any thread.
#pragma once

#include <filesystem>
#include <memory>

namespace berth {

class shared_library {
 public:
  /// Throws berth::error with what the system says where it cannot be loaded.
  explicit shared_library(const std::filesystem::path& path);
  shared_library(const shared_library&) = delete;
  shared_library& operator=(const shared_library&) = delete;
  ~shared_library();

  /// Null where it exports no such name.
  void* symbol(const char* name) const noexcept;
  /// Never unloaded: code of it may still run.
  void keep() noexcept;

 private:
  struct core;
  std::unique_ptr<core> core_;
  bool kept_ = false;
};

}  // namespace berth
