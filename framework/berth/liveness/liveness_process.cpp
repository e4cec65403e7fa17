#include <fmt/format.h>

#include <berth/liveness/liveness.hpp>
#include <berth/liveness/process.hpp>
#include <berth/liveness/system_verdict.hpp>
#include <berth/record/started_at.hpp>

namespace berth {
namespace {

/// How the start of the process with the record's pid compares with the server's start.
enum class start_evidence { same, plausible, later, other, none };

start_evidence compare_starts(const record& server, const process_status& process) {
  if (server.origin.start_time != 0 && process.start_time != 0)
    return server.origin.start_time == process.start_time ? start_evidence::same
                                                          : start_evidence::other;
  const auto started_at = parse_rfc3339(server.started_at);
  if (!started_at || !process.started) return start_evidence::none;
  return *process.started > *started_at + started_at_tolerance ? start_evidence::later
                                                               : start_evidence::plausible;
}

verdict judge_running(const record& server, const process_status& process) {
  switch (compare_starts(server, process)) {
    case start_evidence::other:
      return {liveness::dead,
              fmt::format("pid {} is another process, started at another time", server.pid)};
    case start_evidence::later:
      return {liveness::dead,
              fmt::format("pid {} is another process, started after the server", server.pid)};
    case start_evidence::same:
    case start_evidence::plausible: break;
    case start_evidence::none:
      return {
          liveness::unknown,
          fmt::format("pid {} is running, but nothing tells whether it is the server", server.pid)};
  }
  return {liveness::alive, fmt::format("pid {} is running", server.pid)};
}

}  // namespace

verdict process_liveness::judge(const evidence& found) const {
  const record& server = found.server;
  if (auto judged = verdict_of_system(server)) return *judged;
  if (differs(server.origin.pid_namespace, origin_of_this_system().pid_namespace))
    return {liveness::unknown, fmt::format("pid {} belongs to another pid namespace", server.pid)};

  const process_status process = status_of_process(server.pid);
  switch (process.state) {
    case process_state::absent:
      return {liveness::dead, fmt::format("no process has pid {}", server.pid)};
    case process_state::ended:
      return {liveness::dead, fmt::format("pid {} {}", server.pid, ended_process)};
    case process_state::running: break;
  }
  verdict judged = judge_running(server, process);
  if (judged.state == liveness::alive && hides_locks(found.view))
    return {liveness::unknown,
            fmt::format("pid {} is running, but an overlay hides whether it holds the file's lock",
                        server.pid)};
  return judged;
}

}  // namespace berth
