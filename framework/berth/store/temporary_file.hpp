// The file that takes a port file's name once it is complete. Its name contains the id of the lock
// file under which it is created, so that the next holder of that lock finds and removes what a
// killed process left. The first holder of a new lock file removes all temporary files: each was
// left by a killed process, or belongs to the holder of a deleted lock file, whose rename then
// fails.
#pragma once

#include <filesystem>

#include <berth/store/location.hpp>
#include <berth/store/open_file.hpp>

namespace berth {

/// The holder of the mutation lock of the lock file `lock_id` may create one at a time.
class temporary_file {
 public:
  /// Throws berth::error.
  temporary_file(const location& where, std::uint64_t lock_id);
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  /// Removes it, unless it was renamed.
  ~temporary_file();

  open_file& file() noexcept { return file_; }
  /// Call it once the file was renamed: the destructor then removes nothing.
  open_file release() noexcept;

 private:
  open_file file_;
  bool renamed_ = false;
};

/// Removes all temporary files of that instance.
void remove_temporary_files(const location& where);

}  // namespace berth
