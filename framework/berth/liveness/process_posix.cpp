#include <berth/liveness/process.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/unique_handle.hpp>
#include <berth/store/digest.hpp>

namespace berth {
namespace {

/// The beginning of a small file, without the line's end; empty if it cannot be read.
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
  std::uint32_t parent = 0;
  std::uint64_t start_time = 0;
};

template <typename Number>
void set_number(Number& into, std::string_view text) noexcept {
  std::from_chars(text.data(), text.data() + text.size(), into);
}

// proc(5): the name in field 2 is in parentheses and may hold spaces and parentheses itself, so
// fields are counted from the last ')'. State is field 3, parent field 4, start time field 22.
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
    if (field == 3) set_number(fields.parent, text);
  }
  set_number(fields.start_time, text);
  return fields;
}

// Start times count ticks since the kernel booted, suspended time included.
std::optional<std::chrono::sys_seconds> wall_clock([[maybe_unused]] std::uint64_t ticks) noexcept {
#ifdef __linux__
  static const long ticks_per_second = ::sysconf(_SC_CLK_TCK);
  timespec since_boot, now;
  if (ticks == 0 || ticks_per_second <= 0 || ::clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0 ||
      ::clock_gettime(CLOCK_REALTIME, &now) != 0)
    return std::nullopt;
  const auto seconds =
      static_cast<std::int64_t>(ticks / static_cast<std::uint64_t>(ticks_per_second));
  return std::chrono::sys_seconds(std::chrono::seconds(now.tv_sec - since_boot.tv_sec + seconds));
#else
  return std::nullopt;
#endif
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

const std::string_view ended_process = "is a zombie";

std::string command_to_end(std::uint32_t pid) { return fmt::format("kill {}", pid); }

process_reference::process_reference(std::uint32_t pid) : pid_(pid) {
#ifdef SYS_pidfd_open
  handle_ = unique_handle(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)));
#endif
}

void process_reference::request_termination() const { send(SIGTERM); }
void process_reference::terminate() const { send(SIGKILL); }

void process_reference::send(int signal) const {
  int sent = -1;
#ifdef SYS_pidfd_send_signal
  if (handle_)
    sent = static_cast<int>(::syscall(SYS_pidfd_send_signal, handle_.get(), signal, nullptr, 0));
  else
#endif
    sent = ::kill(static_cast<pid_t>(pid_), signal);
  if (sent != 0) throw error(last_system_error(), "stop", fmt::format("process {}", pid_));
}

std::uint32_t parent_of(std::uint32_t pid) noexcept {
  const auto fields = read_stat(pid);
  return fields ? fields->parent : 0;
}

bool is_this_process_or_ancestor(std::uint32_t pid) noexcept {
  if (pid == static_cast<std::uint32_t>(::getppid())) return true;
  constexpr int most_generations = 4096;
  std::uint32_t each = this_process_id();
  for (int generation = 0; each != 0 && generation < most_generations; ++generation) {
    if (each == pid) return true;
    each = parent_of(each);
  }
  return false;
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
  if (!fields) return {process_state::running, 0, {}};
  const bool ended = fields->state == 'Z' || fields->state == 'X';
  return {ended ? process_state::ended : process_state::running, fields->start_time,
          wall_clock(fields->start_time)};
}

}  // namespace berth
