#include <berth/liveness/process.hpp>

#include <windows.h>
// After windows.h, which it needs.
#include <tlhelp32.h>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/stop_event_windows.hpp>
#include <berth/base/unique_handle.hpp>
#include <berth/store/digest.hpp>

namespace berth {
namespace {

unique_handle open_process(std::uint32_t pid, DWORD more_rights = 0) noexcept {
  const HANDLE opened =
      ::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE | more_rights, FALSE, pid);
  return opened ? unique_handle(opened) : unique_handle();
}

/// In units of 100 ns since 1601; 0 if it is unknown.
std::uint64_t creation_time(native_handle process) noexcept {
  FILETIME created, exited, kernel, user;
  if (!::GetProcessTimes(process, &created, &exited, &kernel, &user)) return 0;
  return std::uint64_t{created.dwHighDateTime} << 32 | created.dwLowDateTime;
}

/// 1970 in the units of a creation time.
constexpr std::uint64_t unix_epoch = 116'444'736'000'000'000;

std::optional<std::chrono::sys_seconds> wall_clock(std::uint64_t created) noexcept {
  if (created < unix_epoch) return std::nullopt;
  constexpr std::uint64_t units_per_second = 10'000'000;
  const auto seconds = static_cast<std::int64_t>((created - unix_epoch) / units_per_second);
  return std::chrono::sys_seconds(std::chrono::seconds(seconds));
}

/// 0 if the snapshot does not show the process. A parent's pid may belong to another process by
/// now, which is then spared without need.
std::uint32_t parent_of(std::uint32_t pid, HANDLE snapshot) noexcept {
  PROCESSENTRY32W entry{};
  entry.dwSize = sizeof entry;
  for (BOOL more = ::Process32FirstW(snapshot, &entry); more;
       more = ::Process32NextW(snapshot, &entry))
    if (entry.th32ProcessID == pid) return entry.th32ParentProcessID;
  return 0;
}

[[noreturn]] void fail_to_stop(std::uint32_t pid) {
  throw error(last_system_error(), "stop", fmt::format("process {}", pid));
}

std::string read_host_id() {
  char text[256] = "";
  DWORD size = sizeof text;
  if (::RegGetValueA(HKEY_LOCAL_MACHINE, "SOFTWARE\\Microsoft\\Cryptography", "MachineGuid",
                     RRF_RT_REG_SZ, nullptr, text, &size) == ERROR_SUCCESS)
    return digest(text);
  size = sizeof text;
  return ::GetComputerNameA(text, &size) ? digest(text) : std::string();
}

}  // namespace

std::uint32_t this_process_id() noexcept { return ::GetCurrentProcessId(); }

std::string this_user() {
  char name[257] = "";
  DWORD size = sizeof name;
  return ::GetUserNameA(name, &size) ? digest(name) : std::string("user");
}

// Nothing identifies a boot; creation times are dates, so no later process has the same one.
const process_origin& origin_of_this_system() {
  static const process_origin system{0, 0, {}, read_host_id()};
  return system;
}

process_origin origin_of_this_process() {
  process_origin origin = origin_of_this_system();
  origin.start_time = creation_time(::GetCurrentProcess());
  return origin;
}

const std::string_view ended_process = "has ended";

std::string command_to_end(std::uint32_t pid) { return fmt::format("taskkill /PID {}", pid); }

process_reference::process_reference(std::uint32_t pid)
    : pid_(pid), handle_(open_process(pid, PROCESS_TERMINATE)) {}

// There are no signals: a process that can be asked waits for an event with its pid in the name.
void process_reference::request_termination() const {
  const HANDLE opened = ::OpenEventW(EVENT_MODIFY_STATE, FALSE, stop_event_name(pid_).c_str());
  if (!opened && ::GetLastError() == ERROR_FILE_NOT_FOUND)
    throw error(fmt::format("process {} cannot be asked to stop: end it with {}", pid_,
                            command_to_end(pid_)),
                std::make_error_code(std::errc::not_supported));
  if (!opened) fail_to_stop(pid_);
  const unique_handle event(opened);
  if (!::SetEvent(event.get())) fail_to_stop(pid_);
}

void process_reference::terminate() const {
  if (!handle_ || !::TerminateProcess(handle_.get(), 1)) fail_to_stop(pid_);
}

std::uint32_t parent_of(std::uint32_t pid) noexcept {
  const HANDLE taken = ::CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  if (taken == INVALID_HANDLE_VALUE) return 0;
  const unique_handle snapshot(taken);
  return parent_of(pid, snapshot.get());
}

bool is_this_process_or_ancestor(std::uint32_t pid) noexcept {
  const HANDLE taken = ::CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  if (pid == this_process_id() || taken == INVALID_HANDLE_VALUE) return pid == this_process_id();
  const unique_handle snapshot(taken);
  constexpr int most_generations = 4096;
  std::uint32_t each = this_process_id();
  for (int generation = 0; each != 0 && generation < most_generations; ++generation) {
    if (each == pid) return true;
    each = parent_of(each, snapshot.get());
  }
  return false;
}

unsigned fork_generation() noexcept { return 0; }

// Not by the exit code, which may be 259 (STILL_ACTIVE) of a process that has ended.
process_status status_of_process(std::uint32_t pid) noexcept {
  if (pid == 0) return {};  // the idle process, which is not a real one
  const auto process = open_process(pid);
  if (!process)
    return {::GetLastError() == ERROR_INVALID_PARAMETER ? process_state::absent
                                                        : process_state::running,
            0,
            {}};
  const bool ended = ::WaitForSingleObject(process.get(), 0) == WAIT_OBJECT_0;
  const std::uint64_t created = creation_time(process.get());
  return {ended ? process_state::ended : process_state::running, created, wall_clock(created)};
}

}  // namespace berth
