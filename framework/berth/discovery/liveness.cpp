#include <berth/discovery/liveness.hpp>

#include <fmt/format.h>

#include <berth/discovery/connect_probe.hpp>
#include <berth/discovery/process.hpp>

namespace berth {

std::string_view to_string(liveness state) noexcept {
  switch (state) {
    case liveness::alive: return "alive";
    case liveness::dead: return "dead";
    case liveness::unknown: return "unknown";
  }
  return "unknown";
}

verdict lock_liveness::judge(const evidence& found) const {
  if (found.lock == lock_state::held) return {liveness::alive, "its server holds the file's lock"};
  if (found.lock == lock_state::unknown)
    return {liveness::unknown, "the file system cannot tell whether the file is locked"};
  if (found.server.lock.empty()) return {liveness::unknown, "its writer does not lock its file"};
  if (found.server.lock != lock_mechanism)
    return {liveness::unknown,
            fmt::format("its writer locks by \"{}\", which cannot be seen from here",
                        found.server.lock)};
  const process_origin& here = origin_of_this_system();
  if (differs(found.server.origin.host_id, here.host_id))
    return {liveness::unknown, "it was written on another machine"};
  if (differs(found.server.origin.boot_id, here.boot_id))
    return {liveness::dead, "the machine has been started anew since"};
  return {liveness::dead, "the file's lock is free: its server has ended"};
}

verdict connect_liveness::judge(const evidence& found) const {
  const record& server = found.server;
  if (differs(server.origin.host_id, origin_of_this_system().host_id))
    return {liveness::unknown, "it was written on another machine"};
  switch (probe_port(reachable_host(server.host), server.port, longest_)) {
    case probe_result::answered:
      return {liveness::alive, fmt::format("port {} accepts connections", server.port)};
    case probe_result::refused:
      return {liveness::dead, fmt::format("nothing listens on port {}", server.port)};
    case probe_result::no_answer: break;
  }
  return {liveness::unknown, fmt::format("port {} does not answer", server.port)};
}

verdict always_alive::judge(const evidence&) const {
  return {liveness::alive, "this build takes every server for alive"};
}

verdict liveness_chain::judge(const evidence& found) const {
  verdict last{liveness::unknown, "no strategy was asked"};
  for (const auto& strategy : strategies_) {
    last = strategy->judge(found);
    if (last.state != liveness::unknown) break;
  }
  return last;
}

}  // namespace berth
