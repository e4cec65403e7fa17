#include <berth/discovery/process.hpp>

#include <fmt/format.h>

#include <berth/base/error.hpp>

namespace berth {

void ask_to_end(const record& server) {
  const process_origin& here = origin_of_this_system();
  if (differs(server.origin.host_id, here.host_id) ||
      differs(server.origin.pid_namespace, here.pid_namespace))
    throw error(fmt::format("the server (pid {}) runs on another machine or in another pid "
                            "namespace: stop it there",
                            server.pid),
                std::make_error_code(std::errc::not_supported));
  ask_process_to_end(server.pid, server.origin.start_time);
}

}  // namespace berth
