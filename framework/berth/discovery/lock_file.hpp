// The lock file beside a port file. It is never removed by us; where something else removed it,
// whoever locks it next notices and makes it anew. Three locks in one file, each held by at most
// one lock_file at a time; all are let go at its end. For one thread at a time.
#pragma once

#include <berth/discovery/open_file.hpp>

namespace berth {

class lock_file {
 public:
  /// Opens it, or makes it. Takes no lock.
  explicit lock_file(const std::filesystem::path& path);

  /// False where another holds it.
  bool try_lock(lock_range range) { return file_.try_lock(range); }
  void unlock(lock_range range) noexcept { file_.unlock(range); }

  /// Waits for the mutation lock, at most some seconds: who holds it is done in microseconds,
  /// unless it was halted. Throws berth::error after that.
  void lock_mutation();
  /// The same without waiting, for who can leave the change to another.
  bool try_lock_mutation();

  /// Whether the file still has its name; where not, others lock another one.
  bool still_there() const { return file_.status().linked; }
  /// A number that no other lock file in use has.
  std::uint64_t id() const noexcept { return id_; }

 private:
  void reopen();

  open_file file_;
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
