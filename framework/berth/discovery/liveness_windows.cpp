#include <windows.h>

#include <fmt/format.h>

#include <berth/discovery/liveness.hpp>
#include <berth/discovery/process.hpp>

namespace berth {
verdict process_liveness::judge(const evidence& found) const {
  const record& server = found.server;
  if (differs(server.origin.host_id, origin_of_this_system().host_id))
    return {liveness::unknown, "it was written on another machine"};
  const process_status process = status_of_process(server.pid);
  if (process.state != process_state::running)
    return {liveness::dead, fmt::format("no process has pid {}", server.pid)};
  if (differs(server.origin.start_time, process.start_time))
    return {liveness::dead,
            fmt::format("pid {} is another process, started at another time", server.pid)};
  return {liveness::alive, fmt::format("pid {} is running", server.pid)};
}

}  // namespace berth
