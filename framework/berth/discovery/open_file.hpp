// A file as discovery handles it: opened without following links or waiting, known by its
// identity rather than its name, and locked by the byte. One file a platform. Failures are
// berth::error with the path. For one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include <berth/base/unique_handle.hpp>
#include <berth/discovery/file_lock.hpp>
#include <berth/discovery/location.hpp>

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
};

/// Whether an operation may wait for the disk.
enum class read_mode {
  may_block,
  cached,  ///< throws would_block where it would, or where the system cannot promise
};

struct would_block {};

class open_file {
 public:
  /// Nothing where there is no such file.
  static std::optional<open_file> to_read(path_name name, read_mode how = read_mode::may_block);
  /// For locks; made where it is missing.
  static open_file to_lock(path_name name);
  /// New and only ours; nothing where there is one of that name.
  static std::optional<open_file> to_create(path_name name);

  file_status status() const;
  std::size_t read(std::span<char> into, read_mode how = read_mode::may_block) const;
  void write(std::string_view content);
  /// Waits until the content is on the disk.
  void sync();

  bool try_lock(lock_range range);
  void unlock(lock_range range) noexcept;
  lock_state query(lock_range range) const noexcept;

  const path_name& name() const noexcept { return name_; }
  std::filesystem::path path() const { return name_; }

 private:
  open_file(unique_handle handle, path_name name)
      : handle_(std::move(handle)), name_(std::move(name)) {}

  unique_handle handle_;
  path_name name_;
};

/// The file of that name now; nothing where there is none. A link is not followed.
std::optional<file_id> identify(const std::filesystem::path& path);
/// Whether rename_over lets nobody see a moment without a file. Where not, that moment lies within
/// the time that its caller holds the mutation lock.
extern const bool replaces_at_once;
/// `from` takes the name `to`, whatever had it.
void rename_over(const std::filesystem::path& from, const std::filesystem::path& to);
/// Whether this directory is on a file system of this machine, whose locks and attributes never
/// wait for a network. Asks the file system, so it may itself wait.
bool is_local(const std::filesystem::path& directory) noexcept;
/// False where there was none.
bool remove_file(const std::filesystem::path& path);

}  // namespace berth
