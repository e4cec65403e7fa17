#include <fmt/format.h>

#include <berth/discovery/liveness.hpp>
#include <berth/discovery/process.hpp>

namespace berth {

verdict process_liveness::judge(const evidence& found) const {
  const record& server = found.server;
  if (differs(server.origin.host_id, origin_of_this_system().host_id))
    return {liveness::unknown, "it was written on another machine"};
  const process_status process = status_of_process(server.pid);
  switch (process.state) {
    case process_state::absent:
      return {liveness::dead, fmt::format("no process has pid {}", server.pid)};
    case process_state::ended:
      return {liveness::dead, fmt::format("process {} has ended", server.pid)};
    case process_state::running: break;
  }
  if (differs(server.origin.start_time, process.start_time))
    return {liveness::dead,
            fmt::format("pid {} is another process, started at another time", server.pid)};
  return {liveness::alive, fmt::format("pid {} is running", server.pid)};
}

}  // namespace berth
