// A program run as a child. Its standard streams are this process's, nothing, a file, or pipes to
// talk to it. The object refers to the child, it does not keep it alive or end it: a child goes on
// when its object is destroyed, with its pipes closed, and is collected when it ends, if the loop
// still runs then. On the loop's thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <berth/io/event_loop.hpp>
#include <berth/io/local.hpp>
#include <berth/io/wait_point.hpp>

namespace berth {

/// How a process ended: by itself with a status, or by a signal (then not 0).
struct exit_status {
  std::int64_t code = 0;
  int signal = 0;
};

struct child_options {
  enum class stream { inherited, none, piped, log };

  child_options() = default;
  stream input = stream::inherited;
  stream output = stream::inherited;
  stream error = stream::inherited;
  std::filesystem::path directory;                      ///< ours where empty
  std::optional<std::vector<std::string>> environment;  ///< "NAME=VALUE"; ours where not given
  std::filesystem::path log;  ///< stream::log appends to it; created, 0600, if missing
  /// In a session of its own, so that it outlives our terminal, and with no descriptor of ours: for
  /// that, all of this process's are marked as not inherited.
  bool detached = false;
};

class child_process {
 public:
  /// Starts `command[0]`, looked for in PATH, with the rest as its arguments. Throws berth::error,
  /// also if there is no command.
  child_process(event_loop& loop, const std::vector<std::string>& command,
                const child_options& options = {});
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  ~child_process();

  int pid() const;
  /// No-op once it has ended: its pid may be another process's by then. Throws berth::error if
  /// there is no such signal, or if the child is another user's by now.
  void kill(int signal);
  /// The same to all processes of its session, if it was detached.
  void kill_session(int signal);
  /// Leaves it to itself, as destroying the object does. Nothing else can be asked of it then: that
  /// throws berth::error.
  void leave() noexcept;

  /// The pipes, there where they were asked for. Closing the input tells the child its end.
  std::optional<local_stream> input, output, error;

  class awaiter;
  /// Waits until it has ended; returns at once if it has.
  awaiter wait(deadline until = deadline::never()) noexcept;

 private:
  struct core;
  core* core_;  // null when it was left
};

class [[nodiscard]] child_process::awaiter final : public point_waiter {
 public:
  awaiter(core* of, deadline until) noexcept;
  result<exit_status> await_resume();

 private:
  core* core_;
};

}  // namespace berth
