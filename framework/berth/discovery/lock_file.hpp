// The lock file beside a port file. It is never removed by us; where something else removed it,
// whoever locks it next notices and makes it anew. Three locks, in one file where the system can
// (else in three), each held by at most one lock_file at a time; all are let go at its end. For
// one thread at a time.
#pragma once

#include <array>
#include <optional>

#include <berth/discovery/open_file.hpp>

namespace berth {

class lock_file {
 public:
  /// Opens it, or makes it. Takes no lock.
  explicit lock_file(std::filesystem::path path);

  /// False where another holds it. True where we do already.
  bool try_lock(lock_range range);
  void unlock(lock_range range) noexcept;

  /// Waits for the mutation lock, at most some seconds: who holds it is done in microseconds,
  /// unless it was halted. Throws berth::error after that.
  void lock_mutation();
  /// The same without waiting, for who can leave the change to another.
  bool try_lock_mutation();

  /// Whether the file still has its name; where not, others lock another one.
  bool still_there() const;
  /// A number that no other lock file in use has, once its mutation lock was taken.
  std::uint64_t id() const noexcept { return id_; }

  /// Whether anybody holds that lock of the lock file at `path`. Makes no file.
  static lock_state query(const std::filesystem::path& path, lock_range range);

 private:
  open_file& file_of(lock_range range);
  void reopen(lock_range range);

  std::filesystem::path path_;
  std::array<std::optional<open_file>, 3> files_;
  std::array<bool, 3> held_{};
  std::uint64_t id_ = 0;
};

/// Holds the mutation lock while it exists.
class mutation_guard {
 public:
  explicit mutation_guard(lock_file& locked) : locked_(locked) { locked_.lock_mutation(); }
  mutation_guard(const mutation_guard&) = delete;
  mutation_guard& operator=(const mutation_guard&) = delete;
  ~mutation_guard() { locked_.unlock(lock_range::mutation); }

 private:
  lock_file& locked_;
};

}  // namespace berth
