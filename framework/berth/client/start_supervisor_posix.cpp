#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <exception>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include <berth/base/exception_message.hpp>
#include <berth/base/unique_handle.hpp>
#include <berth/client/start_supervisor.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/discovery/port_file.hpp>

extern char** environ;

namespace berth {
namespace {

constexpr int own_socket = 3;  // below FD_SETSIZE
constexpr int own_log = 4;
constexpr int first_free = 5;

void close_from(int first) noexcept {
#if defined(SYS_close_range)
  if (::syscall(SYS_close_range, static_cast<unsigned>(first), ~0u, 0) == 0) return;
#endif
  const long limit = std::min(::sysconf(_SC_OPEN_MAX), 65536L);
  for (int descriptor = first; descriptor < limit; ++descriptor) ::close(descriptor);
}

/// Closes all descriptors but the socket and the log, which become 3 and 4: files, pipes and locks
/// of the starter must end with the starter. Needs no free descriptor: the starter may have none.
void keep_own_descriptors(int socket, int log) noexcept {
  if (log == own_socket) {
    const int moved = socket == own_log ? first_free : own_log;
    ::dup2(log, moved);
    log = moved;
  }
  ::dup2(socket, own_socket);
  ::dup2(log, own_log);
  close_from(first_free);
  ::fcntl(own_socket, F_SETFD, FD_CLOEXEC);
  ::fcntl(own_log, F_SETFD, FD_CLOEXEC);
  for (int standard = 0; standard < 3; ++standard) ::close(standard);
  (void)::open("/dev/null", O_RDONLY);
  (void)::open("/dev/null", O_WRONLY);
  (void)::open("/dev/null", O_WRONLY);
}

void reset_signals() noexcept {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
}

void report(start_report::kind what, int value) noexcept {
  const start_report told{what, value};
  (void)::send(own_socket, &told, sizeof told, MSG_NOSIGNAL);
}

[[noreturn]] void execute(const supervised_start& start) noexcept {
  keep_own_descriptors(start.socket, start.log);
  ::setsid();
  ::dup2(own_log, STDOUT_FILENO);
  ::dup2(own_log, STDERR_FILENO);
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!start.directory || ::chdir(start.directory) == 0) {
    environ = const_cast<char**>(start.environment.data());
    ::execvp(start.arguments.front(), start.arguments.data());
  }
  report(start_report::kind::not_executed, errno);
  ::_exit(127);
}

// proc(5): "PID (NAME) STATE PPID …", where the name may itself hold parentheses.
pid_t parent_of(pid_t pid) noexcept {
  char path[32];
  *fmt::format_to_n(path, sizeof path - 1, "/proc/{}/stat", pid).out = '\0';
  const unique_handle file(::open(path, O_RDONLY | O_CLOEXEC));
  char buffer[512];
  const ssize_t length = file ? ::read(file.get(), buffer, sizeof buffer) : -1;
  if (length <= 0) return 0;
  const std::string_view text(buffer, static_cast<std::size_t>(length));
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 4 >= text.size()) return 0;
  pid_t parent = 0;
  std::from_chars(text.data() + name_end + 4, text.data() + text.size(), parent);
  return parent;
}

bool descends_from_us(pid_t pid) noexcept {
  const pid_t self = ::getpid();
  for (int generations = 0; generations < 1000 && pid > 1; ++generations) {
    const pid_t parent = parent_of(pid);
    if (parent == self) return true;
    pid = parent;
  }
  return false;
}

/// Calls `function` for each of our children: the command, and its descendants whose parents have
/// ended, which we adopt as their subreaper.
template <typename Function>
void for_each_child(Function function) {
  DIR* const processes = ::opendir("/proc");
  if (!processes) return;
  const pid_t self = ::getpid();
  while (const dirent* const entry = ::readdir(processes)) {
    pid_t pid = 0;
    const std::string_view name(entry->d_name);
    const auto read = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (read.ec != std::errc() || read.ptr != name.data() + name.size()) continue;
    if (parent_of(pid) == self) function(pid);
  }
  ::closedir(processes);
}

class supervisor {
 public:
  explicit supervisor(const supervised_start& start) : start_(start) {}

  // libuv closes its own descriptors in a forked child by number, so no descriptor may be reused
  // before the fork.
  [[noreturn]] void run() noexcept {
    command_ = session_ = ::fork();
    const int error_number = errno;
    if (command_ == 0) execute(start_);
    keep_own_descriptors(start_.socket, start_.log);
    if (command_ < 0) {
      report(start_report::kind::not_executed, error_number);
      ::_exit(1);
    }
    for (;;) {
      collect();
      if (has_failed()) {
        end_unless_published();
        status_ = 0;  // its server has published, and goes on
      }
      if (!has_children_) finish();
      obey(wait(std::chrono::hours(1)));
    }
  }

 private:
  void collect() noexcept {
    for (;;) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid < 0 && errno == EINTR) continue;
      if (pid <= 0) {
        has_children_ = pid == 0;
        return;
      }
      if (pid == command_) {
        command_ = -1;
        status_ = status;
      }
    }
  }
  bool has_failed() const noexcept { return command_ < 0 && status_ != 0; }

  [[noreturn]] void finish() const noexcept {
    if (command_ < 0) report(start_report::kind::ended, status_);
    ::_exit(0);
  }

  /// Waits until there is something to read, the time is over or a child has ended. True if there
  /// is something to read.
  static bool wait(std::chrono::milliseconds time) noexcept {
    sigset_t all_but_children;
    ::sigfillset(&all_but_children);
    ::sigdelset(&all_but_children, SIGCHLD);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(own_socket, &readable);
    const timespec limit{static_cast<time_t>(time.count() / 1000),
                         static_cast<long>(time.count() % 1000) * 1'000'000};
    return ::pselect(own_socket + 1, &readable, nullptr, nullptr, &limit, &all_but_children) > 0;
  }

  void obey(bool has_order) noexcept {
    if (!has_order) return;
    start_order order{};
    const ssize_t length = ::recv(own_socket, &order, sizeof order, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) {
      end_unless_published();
      ::_exit(0);
    }
    if (order == start_order::leave) ::_exit(0);
    if (order == start_order::end_unless_published) end_politely_unless_published();
    end_politely();
  }

  /// A server that has published belongs to its workspace. With the mutation lock held, none can
  /// publish between the look and the kill.
  void end_unless_published() noexcept {
    try {
      lock_file lock(start_.place.lock_file());
      const mutation_guard guard(lock);
      if (has_published()) return;
      kill_all();
    } catch (const std::exception&) {
      // The directory is gone, or a halted process holds the lock: it ends without the lock.
      log_ignored_exception("locking out other starts");
    }
    kill_all();
    finish();
  }

  [[noreturn]] void end_politely_unless_published() noexcept {
    try {
      lock_file lock(start_.place.lock_file());
      const mutation_guard guard(lock);
      if (has_published()) ::_exit(0);
      end_politely();
    } catch (const std::exception&) {
      log_ignored_exception("locking out other starts");
    }
    end_politely();
  }

  bool has_published() const {
    const auto published = read(start_.place);
    return published && descends_from_us(static_cast<pid_t>(published->pid));
  }

  [[noreturn]] void end_politely() noexcept {
    if (command_ > 0 && ::kill(-command_, SIGTERM) != 0) ::kill(command_, SIGTERM);
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    std::set<pid_t> told;
    for (collect(); has_children_ && std::chrono::steady_clock::now() < limit; collect()) {
      // The command's session has had its signal. Others become our children as their parents end.
      for_each_child([&](pid_t child) {
        if (::getsid(child) != session_ && told.insert(child).second) ::kill(child, SIGTERM);
      });
      pause_briefly();
    }
    kill_all();
    finish();
  }

  /// Repeats SIGKILL, because the children of a killed process become ours.
  void kill_all() noexcept {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (collect(); has_children_ && std::chrono::steady_clock::now() < limit; collect()) {
      if (command_ > 0) ::kill(-command_, SIGKILL);
      for_each_child([](pid_t child) { ::kill(child, SIGKILL); });
      pause_briefly();
    }
  }

  static void pause_briefly() noexcept {
    const timespec moment{0, 5'000'000};
    ::pselect(0, nullptr, nullptr, nullptr, &moment, nullptr);
  }

  const supervised_start& start_;
  pid_t command_ = -1;  // -1 once it has been collected: the pid may be reused
  pid_t session_ = -1;
  int status_ = 0;
  bool has_children_ = true;
};

}  // namespace

void supervise(const supervised_start& start) noexcept {
  reset_signals();
  ::signal(SIGCHLD, [](int) {});
  ::setsid();
#ifdef __linux__
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_NAME, "berth-starter");
#endif
  supervisor(start).run();
}

}  // namespace berth
