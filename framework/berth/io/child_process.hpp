// Runs a program as a child. Its standard streams are those of this process, discarded, a file, or
// pipes to talk to it. Destroying the object does not end the child: it goes on, with its pipes
// closed, and is collected when it ends, if the loop still runs then. On the loop's thread.
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
  /// Runs the child in a session of its own, so that it outlives our terminal, and without our
  /// descriptors: for that, all descriptors of this process are marked as not inherited.
  bool detached = false;
};

class child_process {
 public:
  /// Starts `command[0]`, searched in PATH, with the rest as its arguments. Throws berth::error,
  /// also if the command is empty.
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
  /// Leaves the child to itself, as destroying the object does. Every later call throws
  /// berth::error.
  void leave() noexcept;

  /// The pipes that the options ask for. Closing the input ends the child's standard input.
  std::optional<local_stream> input, output, error;

  class awaiter;
  /// Waits until it has ended; returns at once if it has.
  awaiter wait(deadline until = deadline::never()) noexcept;

 private:
  static stream_core* open_pipe(event_loop& loop, child_options::stream kind,
                                std::optional<local_stream>& ours);

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
