#include <berth/liveness/liveness.hpp>

#include <fmt/format.h>

#include <berth/liveness/connect_probe.hpp>
#include <berth/liveness/process.hpp>
#include <berth/liveness/system_verdict.hpp>

namespace berth {

std::string_view to_string(liveness state) noexcept {
  switch (state) {
    case liveness::alive: return "alive";
    case liveness::dead: return "dead";
    case liveness::unknown: return "unknown";
  }
  return "unknown";
}

namespace {

// Through an overlay the lock is not conclusive, so the process with the pid decides. If the pid
// belongs to another namespace, as after a container was killed and restarted, the lock decides.
verdict judge_free(const evidence& found) {
  switch (found.view) {
    case lock_view::direct: break;
    case lock_view::same_layers:
      if (differs(found.server.origin.pid_namespace, origin_of_this_system().pid_namespace)) break;
      return {liveness::unknown, "an overlay may hide the file's lock"};
    case lock_view::other_layers:
      return {liveness::unknown, "the file is seen through an overlay, which hides its lock"};
    case lock_view::remote:
      return {liveness::unknown, "the file is on a network file system, which may lose locks"};
  }
  return {liveness::dead, "the file's lock is free: its server has ended"};
}

}  // namespace

verdict lock_liveness::judge(const evidence& found) const {
  if (found.lock == lock_state::held) return {liveness::alive, "its server holds the file's lock"};
  if (found.lock == lock_state::unknown)
    return {liveness::unknown, "the file system cannot tell whether the file is locked"};
  if (found.server.lock.empty()) return {liveness::unknown, "its writer does not lock its file"};
  if (found.server.lock != lock_mechanism)
    return {liveness::unknown,
            fmt::format("its writer locks by \"{}\", which cannot be seen from here",
                        found.server.lock)};
  if (auto judged = verdict_of_system(found.server)) return *judged;
  return judge_free(found);
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
  return {liveness::alive, "this build considers every server alive"};
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
