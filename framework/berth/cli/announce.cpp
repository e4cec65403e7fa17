#include <csignal>

#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/discovery/async.hpp>
#include <berth/discovery/process.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/signal_set.hpp>
#include <berth/service/publication.hpp>

namespace berth::cli {
namespace {

void fall_silent(const already_running& lost) { complain(lost.what()); }

task<> wait_for_signal(signal_set& signals) {
  const auto signal = co_await signals.next();
  (void)signal;
}

/// Until COMMAND has ended; asks it to when a signal comes.
task<int> wait_for_command(child_process& command, signal_set& signals, const std::string& name) {
  auto first = co_await when_any(command.wait(), signals.next());
  const bool asked = first.index() == 1;
  if (asked) command.kill(SIGTERM);
  const auto ended = co_await command.wait();
  if (!ended || asked || (ended->code == 0 && ended->signal == 0)) co_return done;
  complain(ended->signal ? fmt::format("{} was ended by signal {}", name, ended->signal)
                         : fmt::format("{} exited with status {}", name, ended->code));
  co_return failed;
}

task<int> announce_until_over(const options& given) {
  const auto here = co_await current_context();
  event_loop& loop = event_loop::of(here);
  signal_set signals(loop, {SIGTERM, SIGINT});
  const location where = given.where();
  auto acquired = co_await async::acquire(where);
  claim owned = std::move(acquired).value("claim");

  auto server = describe_this_process(given.host, given.port, given.version);
  std::optional<child_process> command;
  if (!given.command.empty()) {
    command.emplace(loop, given.command);
    server.pid = static_cast<std::uint32_t>(command->pid());
    server.origin.start_time = status_of_process(server.pid).start_time;
  }
  auto published = co_await publication::publish(std::move(owned), std::move(server));
  answer(given, "path", where.port_file().string());

  scope keeping(here);
  keeping.spawn(published.keep(fall_silent));
  int status = done;
  if (command)
    status = co_await wait_for_command(*command, signals, given.command.front());
  else
    co_await wait_for_signal(signals);
  keeping.cancel();
  co_await keeping.join();
  co_await published.remove();
  co_return status;
}

}  // namespace

int announce(const options& given) { return run(announce_until_over(given)); }

}  // namespace berth::cli
