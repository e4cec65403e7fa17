#include <berth/discovery/process.hpp>

#include <windows.h>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/stop_event_windows.hpp>
#include <berth/base/unique_handle.hpp>
#include <berth/discovery/digest.hpp>

namespace berth {
namespace {

unique_handle open_process(std::uint32_t pid) noexcept {
  const HANDLE opened = ::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
  return opened ? unique_handle(opened) : unique_handle();
}

/// In units of 100 ns since 1601; 0 where it is not told.
std::uint64_t creation_time(native_handle process) noexcept {
  FILETIME created, exited, kernel, user;
  if (!::GetProcessTimes(process, &created, &exited, &kernel, &user)) return 0;
  return std::uint64_t{created.dwHighDateTime} << 32 | created.dwLowDateTime;
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

// Nothing identifies a boot; creation times are dates, which no later process has again.
const process_origin& origin_of_this_system() {
  static const process_origin system{0, 0, {}, read_host_id()};
  return system;
}

process_origin origin_of_this_process() {
  process_origin origin = origin_of_this_system();
  origin.start_time = creation_time(::GetCurrentProcess());
  return origin;
}

// There are no signals: who can be asked waits for an event that has its pid in its name.
void ask_process_to_end(std::uint32_t pid, std::uint64_t start_time) {
  const auto name = fmt::format("process {}", pid);
  const process_status status = status_of_process(pid);
  if (status.state != process_state::running || differs(start_time, status.start_time))
    throw error(std::make_error_code(std::errc::no_such_process), "stop", name);
  const HANDLE opened = ::OpenEventW(EVENT_MODIFY_STATE, FALSE, stop_event_name(pid).c_str());
  if (!opened && ::GetLastError() == ERROR_FILE_NOT_FOUND)
    throw error(
        fmt::format("process {} cannot be asked to stop: end it with taskkill /PID {}", pid, pid),
        std::make_error_code(std::errc::not_supported));
  if (!opened) throw error(last_system_error(), "stop", name);
  const unique_handle event(opened);
  if (!::SetEvent(event.get())) throw error(last_system_error(), "stop", name);
}

unsigned fork_generation() noexcept { return 0; }

// Not by the exit code, which may be 259 (STILL_ACTIVE) of a process that has ended.
process_status status_of_process(std::uint32_t pid) noexcept {
  if (pid == 0) return {};  // the idle process, which is none
  const auto process = open_process(pid);
  if (!process)
    return {::GetLastError() == ERROR_INVALID_PARAMETER ? process_state::absent
                                                        : process_state::running,
            0};
  const bool ended = ::WaitForSingleObject(process.get(), 0) == WAIT_OBJECT_0;
  return {ended ? process_state::ended : process_state::running, creation_time(process.get())};
}

}  // namespace berth
