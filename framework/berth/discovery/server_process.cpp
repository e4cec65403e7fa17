#include <berth/discovery/server_process.hpp>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/process.hpp>
#include <berth/record/started_at.hpp>

namespace berth {
namespace {

template <typename T>
bool known_and_equal(const T& theirs, const T& ours) {
  return theirs == ours && ours != T{};
}

/// Two systems without pid namespaces count as being in the same one.
bool counts_in_our_namespace(const process_origin& origin) {
  return origin.pid_namespace == origin_of_this_system().pid_namespace;
}

/// Whether the process had started when the server, as it says, did, and not in the future.
bool is_plausible(const record& server, const process_status& process) {
  const auto started_at = parse_rfc3339(server.started_at);
  if (!started_at || *started_at > std::chrono::system_clock::now() + started_at_tolerance)
    return false;
  return !process.started || *process.started <= *started_at + started_at_tolerance;
}

bool proven_by_start(const record& server, const process_status& process) {
  return system_of(server.origin) == record_system::this_one &&
         counts_in_our_namespace(server.origin) &&
         known_and_equal(server.origin.start_time, process.start_time) &&
         is_plausible(server, process);
}

/// Whether the file, if it is still this server's, says that its writer locks it. Anybody can look
/// up when a process started and write that into a file, so for such a writer the start time alone
/// proves nothing.
bool claims_to_be_locked(const record& server, const location& where) {
  const auto published = read(where);
  return published && published->pid == server.pid && published->lock == lock_mechanism;
}

bool is_proven(const record& server, const process_status& process, const location& where) {
  const auto file = identify(where.port_file());
  const auto holder = file ? holder_of_lock(server.pid, *file) : lock_holder::unknown;
  if (holder == lock_holder::it) return true;
  if (holder == lock_holder::another && claims_to_be_locked(server, where)) return false;
  return proven_by_start(server, process);
}

std::string missing_proof(const record& server, const process_status& process,
                          const location& where) {
  const char* why =
      "it holds no lock on its port file that is seen from here, and the file "
      "does not say when it started";
  if (server.lock == lock_mechanism)
    why = "neither it nor a process that started it holds a lock on its port file";
  else if (server.origin.start_time != 0 && process.start_time == 0)
    why = "the system does not say when it started (is /proc mounted?)";
  else if (server.origin.start_time != 0)
    why =
        "it holds no lock on its port file that is seen from here, and did not start when the "
        "file says";
  return fmt::format(
      "the process with pid {} is not proven to be the server: {}. If you know that it is, end it "
      "yourself ({}); if the server has ended, remove {}",
      server.pid, why, command_to_end(server.pid), where.port_file().string());
}

[[noreturn]] void refuse(const std::string& doubt) {
  throw error(fmt::format("nothing was stopped: {}", doubt),
              std::make_error_code(std::errc::operation_not_permitted));
}

// The reference is taken before the proof, and the signal goes through the reference: the pid
// cannot pass to another process in between.
template <typename End>
void end_server(const record& server, const location& where, End end) {
  const process_reference process(server.pid);
  if (const auto doubt = doubt_about(server, where); !doubt.empty()) refuse(doubt);
  end(process);
}

}  // namespace

std::string doubt_about(const record& server, const location& where) {
  if (system_of(server.origin) == record_system::another ||
      differs(server.origin.pid_namespace, origin_of_this_system().pid_namespace))
    return fmt::format(
        "the server (pid {}) runs on another machine or in another pid namespace: stop it there",
        server.pid);
  if (server.pid == 1)
    return "pid 1 is the first process of the system or of its container, and is never stopped "
           "from within; stop the container from outside";
  if (is_this_process_or_ancestor(server.pid))
    return fmt::format(
        "pid {} is this process, or one that it descends from; stop the server from a process "
        "that it did not start",
        server.pid);
  const process_status process = status_of_process(server.pid);
  if (process.state != process_state::running)
    return fmt::format("the process with pid {} has ended", server.pid);
  if (is_proven(server, process, where)) return {};
  return missing_proof(server, process, where);
}

void ask_to_end(const record& server, const location& where) {
  end_server(server, where,
             [](const process_reference& process) { process.request_termination(); });
}

void force_to_end(const record& server, const location& where) {
  end_server(server, where, [](const process_reference& process) { process.terminate(); });
}

}  // namespace berth
