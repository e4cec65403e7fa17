#include <berth/client/ensure.hpp>

#include <csignal>

#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/signal_set.hpp>

namespace berth::cli {
namespace {

using starter = task<result<record>> (*)(location, std::vector<std::string>, ensure_options);

/// Ends this process by the signal, so that a shell sees the right status.
int end_by(int signal) {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
  return failed;
}

/// Returns 0 with an `outcome`, or the number of a signal that interrupted, and ended, the start.
task<int> start_until_signal(location location, std::vector<std::string> command,
                             ensure_options how, starter start,
                             std::optional<result<record>>& outcome) {
  const auto here = co_await current_context();
  signal_set signals(event_loop::of(here), {SIGINT, SIGTERM});
  auto first = co_await when_any(start(std::move(location), std::move(command), std::move(how)),
                                 signals.next());
  if (first.index() == 1) {
    const auto signal = std::get<1>(first);
    co_return signal ? *signal : SIGTERM;
  }
  outcome.emplace(std::move(std::get<0>(first)));
  co_return 0;
}

ensure_options start_options(const options& options) {
  ensure_options how;
  how.timeout = options.timeout.value_or(how.timeout);
  how.exact_version = options.exact_version;
  how.minimum_version = options.minimum_version;
  how.log = options.log;
  return how;
}

int start_server(const options& options, starter start) {
  auto location = options.server_location();
  if (options.per_version)
    location = location_for_version(std::move(location), options.exact_version);
  std::optional<result<record>> server;
  try {
    const int signal =
        run(start_until_signal(location, options.command, start_options(options), start, server));
    if (signal != 0) return end_by(signal);
  } catch (const version_contested& contested) {
    complain(contested.what());
    return another_is_live;
  } catch (const start_failed& failed_start) {
    if (failed_start.code() != std::errc::timed_out) throw;
    complain(failed_start);
    return timed_out;
  }
  if (*server) {
    answer(options, "url", url_of(**server));
    return done;
  }
  if (!server->timed_out()) throw error(server->error(), "start", options.command.front());
  complain(fmt::format("{} was neither started nor replaced in time (watched {}).",
                       location.server_name(), location.port_file().string()));
  return timed_out;
}

}  // namespace

int ensure(const options& options) { return start_server(options, berth::ensure); }

int replace(const options& options) { return start_server(options, berth::replace); }

}  // namespace berth::cli
