#include <fmt/format.h>

#include <berth/discovery/liveness.hpp>
#include <berth/discovery/process.hpp>

namespace berth {

verdict process_liveness::judge(const evidence& found) const {
  const record& server = found.server;
  const process_origin& here = origin_of_this_system();
  if (differs(server.origin.host_id, here.host_id))
    return {liveness::unknown, "it was written on another machine"};
  if (differs(server.origin.boot_id, here.boot_id))
    return {liveness::dead, "the machine has been started anew since"};
  if (differs(server.origin.pid_namespace, here.pid_namespace))
    return {liveness::unknown, fmt::format("pid {} counts in another pid namespace", server.pid)};

  const process_status process = status_of_process(server.pid);
  switch (process.state) {
    case process_state::absent:
      return {liveness::dead, fmt::format("no process has pid {}", server.pid)};
    case process_state::ended:
      return {liveness::dead, fmt::format("pid {} is a zombie", server.pid)};
    case process_state::running: break;
  }
  if (differs(server.origin.start_time, process.start_time))
    return {liveness::dead,
            fmt::format("pid {} is another process, started at another time", server.pid)};
  return {liveness::alive, fmt::format("pid {} is running", server.pid)};
}

}  // namespace berth
