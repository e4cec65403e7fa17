// A file as discovery handles it: opened without following links or waiting, known by its identity
// rather than its name, and locked by the byte. One file per platform. Failures are berth::error
// with the path. For one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include <berth/base/unique_handle.hpp>
#include <berth/store/file_lock.hpp>
#include <berth/store/location.hpp>

namespace berth {

/// Which file it is, whatever it is called; stays unique while the file is open.
struct file_id {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const file_id&, const file_id&) = default;
};

struct file_status {
  file_id id;
  std::uint64_t size = 0;
  std::uint32_t owner = 0;
  bool regular = false;
  bool linked = false;  ///< it still has a name
  std::uint32_t group = 0;
  std::uint32_t mode = 0;  ///< as in chmod(2); 0 if the system has no modes
  std::chrono::sys_seconds modified{};
};

/// Whether an operation may wait for the disk.
enum class read_mode {
  may_block,
  cached,  ///< throws would_block if it would wait, or if the system cannot promise
};

struct would_block {};

class open_file {
 public:
  /// Returns nullopt if there is no such file.
  static std::optional<open_file> to_read(path_name name, read_mode how = read_mode::may_block);
  /// For locks; creates the file if it is missing.
  static open_file to_lock(path_name name);
  /// For locks; nullopt if there is no such file, or if it cannot be opened for writing.
  static std::optional<open_file> to_lock_existing(path_name name);
  /// Creates a file that only its owner may open; nullopt if there is one of that name.
  static std::optional<open_file> to_create(path_name name);

  file_status status() const;
  std::size_t read(std::span<char> into, read_mode how = read_mode::may_block) const;
  void write(std::string_view content);
  /// Sets its time of modification to now, which watches of its directory report.
  void touch();
  /// Waits until the content is on the disk.
  void sync();

  bool try_lock(lock_range range);
  void unlock(lock_range range) noexcept;
  lock_state query(lock_range range) const noexcept;
  bool is_read_locked(lock_range range) const noexcept;

  native_handle handle() const noexcept { return handle_.get(); }
  /// Where the file is now, which may have been moved; nullopt if it was deleted, or if the system
  /// does not tell.
  std::optional<std::filesystem::path> find() const;

  const path_name& name() const noexcept { return name_; }
  std::filesystem::path path() const { return name_; }

 private:
  open_file(unique_handle handle, path_name name)
      : handle_(std::move(handle)), name_(std::move(name)) {}

  unique_handle handle_;
  path_name name_;
};

/// The file that has the name now; nullopt if there is none. A link is not followed.
std::optional<file_id> identify(const std::filesystem::path& path);
/// Whether rename_over replaces a file without a moment in which there is none. If not, its caller
/// holds the mutation lock for that moment.
extern const bool replaces_at_once;
/// Renames `from` to `to`, replacing any other file. Returns false if there is no `from` any more.
bool rename_over(const std::filesystem::path& from, const std::filesystem::path& to);
/// Renames `from` to `to`. Returns false, changing nothing, if something has that name already, or
/// if there is no `from` any more. If the file system cannot do that, it is rename_over.
bool rename_new(const std::filesystem::path& from, const std::filesystem::path& to);
/// Returns false if there was none.
bool remove_file(const std::filesystem::path& path);

}  // namespace berth
