// Facts of the system about processes, this one and others. One file per platform; thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <berth/base/unique_handle.hpp>
#include <berth/record/record.hpp>
#include <berth/store/open_file.hpp>

namespace berth {

std::uint32_t this_process_id() noexcept;
/// Distinguishes the user of this process from others, as a file name.
std::string this_user();

/// Identifies this process beyond its pid, as far as the system tells.
process_origin origin_of_this_process();
/// The same without the start time, which all processes here have in common. Computed once.
const process_origin& origin_of_this_system();

/// The system that a record was written on, as seen from this one.
enum class record_system {
  this_one,  ///< the same kernel, booted once
  rebooted,  ///< this machine, before it was booted again
  another,   ///< another machine, for all that is known
  unknown,
};
record_system system_of(const process_origin& origin) noexcept;

/// Whether both are known and not the same.
template <typename T>
bool differs(const T& theirs, const T& ours) {
  return theirs != T{} && ours != T{} && theirs != ours;
}

/// A number that differs between a process and a child that it forked without exec.
unsigned fork_generation() noexcept;

enum class process_state {
  absent,   ///< no process has this pid
  ended,    ///< it has ended and was not collected yet (a zombie)
  running,  ///< it runs, or may: the system does not tell more
};

struct process_status {
  process_state state = process_state::absent;
  std::uint64_t start_time = 0;  ///< as in process_origin; 0 if unknown
  /// The start time by the wall clock, as it is set now.
  std::optional<std::chrono::sys_seconds> started;
};

/// The status of the process that has this pid now. A pid that the platform cannot have is absent.
process_status status_of_process(std::uint32_t pid) noexcept;

/// The platform's phrase for a process that has ended: "is a zombie".
extern const std::string_view ended_process;
/// The command by which a user ends a process: "kill 4711".
std::string command_to_end(std::uint32_t pid);

/// Whether the pid is this process or one that it descends from.
bool is_this_process_or_ancestor(std::uint32_t pid) noexcept;

enum class lock_holder { it, another, unknown };

/// Whether the process, or one that it descends from, holds an exclusive lock on that file; unknown
/// if the system does not tell.
lock_holder holder_of_lock(std::uint32_t pid, const file_id& file);

/// The pid of its parent; 0 if it has none that is seen from here.
std::uint32_t parent_of(std::uint32_t pid) noexcept;

/// The process that has this pid now, and none that has it later.
class process_reference {
 public:
  explicit process_reference(std::uint32_t pid);

  /// Asks the process to end, as SIGTERM does. Throws berth::error if it has ended or is not ours
  /// to end.
  void request_termination() const;
  /// Ends the process, as SIGKILL does.
  void terminate() const;

 private:
  void send(int signal) const;

  std::uint32_t pid_;
  unique_handle handle_;  // empty if the system has none
};

}  // namespace berth
