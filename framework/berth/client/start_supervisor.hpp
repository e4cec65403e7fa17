// The process between a starter and the command that it starts: see started_command.hpp. POSIX.
#pragma once

#include <string>
#include <vector>

#include <berth/store/location.hpp>

namespace berth {

/// What the supervisor, or the command itself, reports to the starter through the socket.
struct start_report {
  enum class kind : int { not_executed, ended };
  kind what;
  int value;  ///< errno, or the status as of waitpid
};

/// An order from the starter to the supervisor. The end of the socket means that the starter has
/// died.
enum class start_order : char { end = 'e', end_unless_published = 'u', leave = 'l' };

/// What a forked process needs to become the supervisor; made before the fork.
struct supervised_start {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  const char* directory;  ///< null for the current one
  int socket;
  int log;
  location place;
};

/// Never returns. Called in a process that was just forked, with all signals blocked.
[[noreturn]] void supervise(const supervised_start& start) noexcept;

}  // namespace berth
