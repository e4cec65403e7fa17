// The lock file beside a port file. berth never removes it; if another program does, the next
// process that locks it notices and creates it again. It has three locks, in one file if the system
// supports that and in three otherwise, each held by at most one lock_file at a time; the
// destructor releases them. For one thread at a time.
#pragma once

#include <array>
#include <chrono>
#include <optional>

#include <berth/store/open_file.hpp>

namespace berth {

class lock_file {
 public:
  static constexpr std::chrono::seconds usual_wait{10};

  /// Opens the file, or creates it. Takes no lock.
  explicit lock_file(std::filesystem::path path);

  /// Returns false if another lock_file holds it, true if this one already does.
  bool try_lock(lock_range range);
  void unlock(lock_range range) noexcept;

  /// Waits for the mutation lock, and throws berth::error after `longest`. A holder needs it for
  /// microseconds, unless it was halted.
  void lock_mutation(std::chrono::seconds longest = usual_wait);
  /// The same without waiting, for a caller that can leave the change to another process.
  bool try_lock_mutation();

  /// Whether the file still has its name; if not, others lock another one.
  bool still_there() const;
  /// If the name belongs to another file by now, or to none, opens or creates that one; its locks
  /// are not held then. A failure changes nothing.
  void refresh();
  /// Whether the open file still has a name, this or another one.
  bool is_linked() const { return files_[0] && files_[0]->status().linked; }
  /// Where the open file is now; nullopt if it was deleted, or if the system does not tell.
  std::optional<std::filesystem::path> find() const {
    return files_[0] ? files_[0]->find() : std::nullopt;
  }
  /// The same files by another path, after their directory was moved.
  void follow(std::filesystem::path path) { path_ = std::move(path); }
  /// A number that no other lock file in use has, once its mutation lock was taken.
  std::uint64_t id() const noexcept;
  /// Whether nobody has called mark() on this file yet. Both with the mutation lock held.
  bool is_new() const noexcept { return is_new_; }
  void mark();

  /// Whether any process holds that lock of the lock file at `path`. Creates no file.
  static lock_state query(const std::filesystem::path& path, lock_range range);

 private:
  open_file& file_of(lock_range range);
  void reopen(lock_range range);
  bool replace_if_strangers_lock(lock_range range);

  std::filesystem::path path_;
  std::array<std::optional<open_file>, 3> files_;
  std::array<file_id, 3> ids_{};
  std::array<bool, 3> held_{};
  bool is_new_ = false;
};

/// Holds the mutation lock while it exists.
class mutation_guard {
 public:
  explicit mutation_guard(lock_file& locked, std::chrono::seconds longest = lock_file::usual_wait)
      : locked_(locked) {
    locked_.lock_mutation(longest);
  }
  mutation_guard(const mutation_guard&) = delete;
  mutation_guard& operator=(const mutation_guard&) = delete;
  ~mutation_guard() { locked_.unlock(lock_range::mutation); }

 private:
  lock_file& locked_;
};

/// The right to take a port file's name away from it: a lock on the port file itself, so that it
/// also excludes a process with another lock file. Not taken if a file can have one lock only.
class name_lock {
 public:
  /// `id` is the file that must have the name. Throws berth::error if another process still holds
  /// the lock after `longest`; if that is zero, held() returns false instead.
  name_lock(const std::filesystem::path& path, file_id id, std::chrono::seconds longest);

  /// Whether it was taken and the file still has its name.
  bool held() const noexcept { return held_; }

 private:
  std::optional<open_file> file_;
  bool held_ = false;
};

}  // namespace berth
