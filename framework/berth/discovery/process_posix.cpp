#include <berth/discovery/process.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/unique_handle.hpp>
#include <berth/discovery/digest.hpp>

namespace berth {
namespace {

/// The beginning of a small file, without the line's end; empty where it cannot be read.
std::string_view read_small(const char* path, char* buffer, std::size_t size) noexcept {
  const unique_handle file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  const ssize_t length = ::read(file.get(), buffer, size);
  if (length <= 0) return {};
  std::string_view text(buffer, static_cast<std::size_t>(length));
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return text;
}

struct stat_fields {
  char state = 0;
  std::uint64_t start_time = 0;
};

// proc(5): the name in field 2 is in parentheses and may hold spaces and parentheses itself, so
// fields are counted from the last ')'. State is field 3, start time field 22.
std::optional<stat_fields> read_stat(std::uint32_t pid) noexcept {
  char path[32];
  *fmt::format_to_n(path, sizeof path - 1, "/proc/{}/stat", pid).out = '\0';
  char buffer[1024];
  std::string_view text = read_small(path, buffer, sizeof buffer);
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= text.size()) return std::nullopt;
  text.remove_prefix(name_end + 2);
  stat_fields fields;
  fields.state = text.front();
  for (int field = 3; field < 22; ++field) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    text.remove_prefix(space + 1);
  }
  std::from_chars(text.data(), text.data() + text.size(), fields.start_time);
  return fields;
}

// machine-id(5) asks not to publish the id itself.
std::string read_host_id() {
  char buffer[256] = "";
  if (const auto id = read_small("/etc/machine-id", buffer, sizeof buffer); !id.empty())
    return digest(id);
  if (::gethostname(buffer, sizeof buffer - 1) == 0 && buffer[0]) return digest(buffer);
  return {};
}

std::string read_boot_id() {
  char buffer[64];
  return std::string(read_small("/proc/sys/kernel/random/boot_id", buffer, sizeof buffer));
}

std::uint64_t read_pid_namespace() noexcept {
  struct stat status;
  return ::stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

}  // namespace

std::uint32_t this_process_id() noexcept { return static_cast<std::uint32_t>(::getpid()); }

std::string this_user() { return std::to_string(::geteuid()); }

const process_origin& origin_of_this_system() {
  static const process_origin system{0, read_pid_namespace(), read_boot_id(), read_host_id()};
  return system;
}

process_origin origin_of_this_process() {
  process_origin origin = origin_of_this_system();
  if (const auto fields = read_stat(this_process_id())) origin.start_time = fields->start_time;
  return origin;
}

// A descriptor of the process first, the check of who it is second, the signal through the
// descriptor last: the pid cannot pass to another process in between.
void ask_process_to_end(std::uint32_t pid, std::uint64_t start_time) {
  const auto name = fmt::format("process {}", pid);
  const auto native = static_cast<pid_t>(pid);
  unique_handle process;
#if defined(SYS_pidfd_open) && defined(SYS_pidfd_send_signal)
  process = unique_handle(static_cast<int>(::syscall(SYS_pidfd_open, native, 0)));
#endif
  const process_status status = status_of_process(pid);
  if (status.state != process_state::running || differs(start_time, status.start_time))
    throw error({ESRCH, std::system_category()}, "stop", name);
  int sent = -1;
#if defined(SYS_pidfd_open) && defined(SYS_pidfd_send_signal)
  if (process)
    sent = static_cast<int>(::syscall(SYS_pidfd_send_signal, process.get(), SIGTERM, nullptr, 0));
  else
#endif
    sent = ::kill(native, SIGTERM);
  if (sent != 0) throw error(last_system_error(), "stop", name);
}

unsigned fork_generation() noexcept {
  static std::atomic<unsigned> generation{0};
  static const int registered = ::pthread_atfork(nullptr, nullptr, [] { ++generation; });
  (void)registered;
  return generation;
}

process_status status_of_process(std::uint32_t pid) noexcept {
  // 0 and what would be negative as a pid_t address process groups in kill(2).
  if (pid == 0 || pid > static_cast<std::uint32_t>(std::numeric_limits<pid_t>::max())) return {};
  if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return {};
  const auto fields = read_stat(pid);
  if (!fields) return {process_state::running, 0};
  const bool ended = fields->state == 'Z' || fields->state == 'X';
  return {ended ? process_state::ended : process_state::running, fields->start_time};
}

}  // namespace berth
