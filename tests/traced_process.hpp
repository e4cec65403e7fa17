// A forked child whose every system call the test sees, and can change: stop it there, end it
// there, or make the call fail. For x86-64 Linux, whose registers it knows.
#pragma once

#include <sys/types.h>

#include <functional>

namespace test {

class traced_process {
 public:
  /// Forks; the child does `prepare` unseen, and waits to be led through `work`.
  traced_process(const std::function<void()>& prepare, const std::function<int()>& work);
  traced_process(const traced_process&) = delete;
  traced_process& operator=(const traced_process&) = delete;
  ~traced_process();

  /// Runs to the end of the next system call of `work`. False when work has ended; the child then
  /// still lives, and holds what it holds.
  bool next_call();
  /// The same, where the call does nothing and fails with `error_number`.
  bool next_call_fails(int error_number);
  /// The number of the last system call (SYS_…).
  long call() const { return call_; }
  /// What work gave, once it has ended.
  int result() const { return result_; }
  void kill();

 private:
  bool stop_at_call();
  bool finish_call(int error_number);

  pid_t pid_ = -1;
  long call_ = -1;
  int result_ = -1;
};

}  // namespace test
