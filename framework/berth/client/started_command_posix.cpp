#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include <berth/base/error.hpp>
#include <berth/base/signals_blocked.hpp>
#include <berth/client/start_supervisor.hpp>
#include <berth/client/started_command.hpp>
#include <berth/coro/event.hpp>
#include <berth/io/descriptor_watch.hpp>
#include <berth/liveness/process.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (auto& each : words) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct sockets {
  sockets() {
    int both[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) != 0)
      throw error(last_system_error(), "make a socket pair");
    ours = unique_handle(both[0]);
    theirs = unique_handle(both[1]);
  }
  unique_handle ours, theirs;
};

pid_t fork_supervisor(const supervised_start& start) {
  const signals_blocked blocked;
  const pid_t pid = ::fork();
  if (pid == 0) supervise(start);
  if (pid < 0) throw error(last_system_error(), "start", start.arguments.front());
  return pid;
}

exit_status exit_status_of(int status) noexcept {
  if (WIFSIGNALED(status)) return {0, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

}  // namespace

struct started_command::core {
  core(event_loop& loop, std::vector<std::string> words, started_command_options options)
      : name(words.front()), log(options.log.open()) {
    // Computed before the fork, because another thread may be computing it at the fork.
    (void)origin_of_this_system();
    const supervised_start start{pointers_to(words),
                                 pointers_to(options.environment),
                                 options.directory.empty() ? nullptr : options.directory.c_str(),
                                 pair.theirs.get(),
                                 log.get(),
                                 options.place};
    pid = fork_supervisor(start);
    pair.theirs.reset();
    log.reset();
    watch.emplace(loop, pair.ours.get(), [this](descriptor_watch::readiness, bool) { receive(); });
    watch->tell({.readable = true});
  }

  // Reads to the end: the watch reports only once that the other end was closed.
  void receive() noexcept {
    start_report received;
    for (;;) {
      const ssize_t length = ::recv(pair.ours.get(), &received, sizeof received, MSG_DONTWAIT);
      if (length < 0 && errno == EINTR) continue;
      if (length < 0 && errno == EAGAIN) return;
      if (length != sizeof received) break;
      if (!report) report = received;
    }
    watch.reset();
    // It has closed its end by exiting, so this does not wait.
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    over.set();
  }

  void tell(start_order order) noexcept {
    (void)::send(pair.ours.get(), &order, sizeof order, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  std::string name;
  unique_handle log;
  sockets pair;
  pid_t pid = -1;
  std::optional<descriptor_watch> watch;
  std::optional<start_report> report;
  event over;
};

started_command::started_command(event_loop& loop, std::vector<std::string> command,
                                 started_command_options options)
    : core_(std::make_unique<core>(loop, std::move(command), std::move(options))) {}

started_command::~started_command() {
  if (!core_->over.is_set()) core_->tell(start_order::end);
}

task<result<exit_status>> started_command::ended() {
  const auto over = co_await core_->over.wait();
  if (!over) co_return over.failure();
  const auto report = core_->report;
  if (!report) co_return exit_status{0, SIGKILL};
  if (report->what == start_report::kind::not_executed)
    throw error({report->value, std::system_category()}, "start", core_->name);
  co_return exit_status_of(report->value);
}

// The supervisor gives up on a process that not even SIGKILL ends; one that was halted itself does
// not answer at all.
task<> started_command::end() {
  if (!core_->over.is_set()) core_->tell(start_order::end);
  (void)co_await core_->over.wait(deadline::after(15s));
}

task<> started_command::end_unless_published() {
  if (!core_->over.is_set()) core_->tell(start_order::end_unless_published);
  (void)co_await core_->over.wait(deadline::after(15s));
}

task<> started_command::leave() {
  core_->tell(start_order::leave);
  const auto over = co_await core_->over.wait(deadline::after(2s));
  (void)over;
  core_->over.set();
}

}  // namespace berth
