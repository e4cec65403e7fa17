// A program run as a child, with this process's standard streams. The object refers to the child,
// it does not keep it alive or end it: a child goes on when its object is destroyed. On the
// loop's thread.
#pragma once

#include <string>
#include <vector>

#include <berth/io/event_loop.hpp>
#include <berth/io/wait_point.hpp>

namespace berth {

/// How a process ended: by itself with a status, or by a signal (then not 0).
struct exit_status {
  std::int64_t code = 0;
  int signal = 0;
};

class child_process {
 public:
  /// Starts `command[0]`, looked for in PATH, with the rest as its arguments. Throws berth::error.
  child_process(event_loop& loop, const std::vector<std::string>& command);
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  ~child_process();

  int pid() const noexcept;
  void kill(int signal) noexcept;

  class awaiter;
  /// Until it has ended; at once where it has already.
  awaiter wait(deadline until = deadline::never()) noexcept;

 private:
  struct core;
  core* core_;
};

class [[nodiscard]] child_process::awaiter final : public point_waiter {
 public:
  awaiter(core* of, deadline until) noexcept;
  result<exit_status> await_resume() const noexcept;

 private:
  core* core_;
};

}  // namespace berth
