#include <csignal>
#include <exception>

#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/client/async.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/signal_set.hpp>
#include <berth/liveness/process.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/service/publication.hpp>
#include <berth/service/started_log.hpp>

namespace berth::cli {
namespace {

void report_loss(const error& lost, const already_running*) { complain(lost.what()); }

task<> wait_for_signal(signal_set& signals) {
  const auto signal = co_await signals.next();
  (void)signal;
}

/// Waits until COMMAND has ended, and asks it to end when a signal comes. Returns the exit status.
task<int> wait_for_command(child_process& command, signal_set& signals, const std::string& name) {
  auto first = co_await when_any(command.wait(), signals.next());
  const bool was_asked = first.index() == 1;
  if (was_asked) command.kill(SIGTERM);
  const auto ended = co_await command.wait();
  if (!ended || was_asked || (ended->code == 0 && ended->signal == 0)) co_return done;
  complain(ended->signal ? fmt::format("{} was ended by signal {}", name, ended->signal)
                         : fmt::format("{} exited with status {}", name, ended->code));
  co_return failed;
}

/// Returns the exception that printing threw, or null: a catch block cannot co_await.
std::exception_ptr try_to_print(const options& options, const location& location) {
  try {
    answer_path(options, location.port_file().string());
    return {};
  } catch (...) {
    return std::current_exception();
  }
}

task<int> announce_until_over(const options& options) {
  const auto here = co_await current_context();
  event_loop& loop = event_loop::of(here);
  signal_set signals(loop, {SIGTERM, SIGINT});
  const auto location = options.publish_location();
  claim_options listed;
  listed.listed = true;
  auto acquired = co_await async::acquire(location, listed);
  claim owned = std::move(acquired).value("claim");

  auto server = describe_this_process(options.host, options.port, options.version);
  std::optional<child_process> command;
  if (!options.command.empty()) {
    command.emplace(loop, options.command);
    server.pid = static_cast<std::uint32_t>(command->pid());
    server.origin.start_time = status_of_process(server.pid).start_time;
  }
  auto published = co_await publication::publish(std::move(owned), std::move(server));
  const auto unprinted = try_to_print(options, location);
  if (unprinted) {
    if (command) {
      command->kill(SIGTERM);
      (void)co_await command->wait();
    }
    co_await published.remove();
    std::rethrow_exception(unprinted);
  }

  scope keeping(here);
  keeping.spawn(published.keep(report_loss));
  keeping.spawn(keep_log_bounded());
  int status = done;
  if (command)
    status = co_await wait_for_command(*command, signals, options.command.front());
  else
    co_await wait_for_signal(signals);
  keeping.cancel();
  co_await keeping.join();
  co_await published.remove();
  co_return status;
}

}  // namespace

int announce(const options& options) { return run(announce_until_over(options)); }

}  // namespace berth::cli
