// What the system tells about processes, this one and others, one file a platform. Any thread.
#pragma once

#include <cstdint>
#include <optional>

#include <berth/discovery/record.hpp>

namespace berth {

std::uint32_t this_process_id() noexcept;
/// What tells the user of this process from others, as a file name.
std::string this_user();

/// What identifies this process beyond its pid, as far as the system tells.
process_origin origin_of_this_process();
/// The same without the start time: what all processes here have in common. Asked once.
const process_origin& origin_of_this_system();

/// Asks the server's process to end, as SIGTERM does. Throws berth::error where it is gone, or not
/// ours to end, or on another machine or in another pid namespace, where its pid is another's.
void ask_to_end(const record& server);
/// The same for the process of that pid, if it started at `start_time` (0: whenever). One file a
/// platform.
void ask_process_to_end(std::uint32_t pid, std::uint64_t start_time);

/// Whether both are known and not the same.
template <typename T>
bool differs(const T& theirs, const T& ours) {
  return theirs != T{} && ours != T{} && theirs != ours;
}

/// Another number in a child forked without exec than in its parent.
unsigned fork_generation() noexcept;

enum class process_state {
  absent,   ///< no process has this pid
  ended,    ///< it has ended and was not collected yet (a zombie)
  running,  ///< it runs, or may: the system does not tell more
};

struct process_status {
  process_state state = process_state::absent;
  std::uint64_t start_time = 0;  ///< as in process_origin; 0 where it is unknown
};

/// Of the process that has this pid now. A pid that the platform cannot have is absent.
process_status status_of_process(std::uint32_t pid) noexcept;

}  // namespace berth
