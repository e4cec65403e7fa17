#include <exception>

#include <fmt/format.h>

#include <berth/base/exception_message.hpp>
#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/client/async.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/with_scope.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/discovery/server_process.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/liveness/process.hpp>
#include <berth/service/service.hpp>

namespace berth::cli {
namespace {

using namespace std::chrono_literals;

/// Explains a delay. A server that reacts unpublishes itself at once, then answers its last
/// requests.
task<> explain_delay(const location& location, const record& server) {
  const auto waited = co_await sleep_for(2s);
  if (!waited) co_return;
  const auto present = co_await async::read_live(location);
  if (!present && !present.absent()) co_return;
  complain(fmt::format(
      "{} (PID {}) {}", location.server_name(), server.pid,
      present ? std::string("does not react to the request to stop: it may be halted or hanging. "
                            "Waiting; end it by force with: berth stop --kill")
              : "is still answering requests. Waiting; cancel them with: " +
                    command_to_end(server.pid)));
}

void ask_again(const record& server, const location& location) {
  try {
    ask_to_end(server, location);
  } catch (const error&) {
    // The server has ended already.
    log_ignored_exception("asking again to stop");
  }
}

/// Waits until the port file has gone and then until the process has ended, after its last request.
task<bool> wait_until_gone(const location& location, const record& server, deadline until,
                           bool now) {
  const auto another_request = deadline::after(2 * one_stop_signal);
  const auto unpublished = co_await async::wait_gone(location, until);
  if (!unpublished) co_return false;
  if (now) {
    (void)co_await sleep_until(another_request);
    ask_again(server, location);
  }
  const auto ended = co_await async::wait_ended(server, until);
  co_return ended.has_value();
}

task<bool> wait_and_explain(scope& helpers, const location& location, const record& server,
                            deadline until, bool now) {
  helpers.spawn(explain_delay(location, server));
  const bool gone = co_await wait_until_gone(location, server, until, now);
  helpers.cancel();
  co_return gone;
}

/// Returns the exception that was thrown, or null: a catch block cannot co_await.
std::exception_ptr try_to_force(const location& location, const record& server) {
  try {
    force_to_end(server, location);
    return {};
  } catch (const error&) {
    return std::current_exception();
  }
}

/// Kills the process. False if it outlives even that, as it does while the kernel holds it.
task<bool> force(location location, record server) {
  const auto refused = try_to_force(location, server);
  const auto until = deadline::after(refused ? 0s : 5s);
  const auto ended = co_await async::wait_ended(server, until);
  if (!ended && refused) std::rethrow_exception(refused);
  if (!ended) co_return false;
  if (!refused)
    complain(fmt::format("{} (PID {}) did not end in time and was killed", location.server_name(),
                         server.pid));
  // Its first thread has ended, but others may hold its lock for a moment.
  (void)co_await async::wait_gone(location, deadline::after(1s));
  co_return true;
}

task<bool> end(const options& options, const location& location, const record& server) {
  auto until = options.kill ? deadline::after(10s) : deadline::never();
  if (options.timeout) until = deadline::after(*options.timeout);
  const bool gone = co_await with_scope(wait_and_explain, std::cref(location), std::cref(server),
                                        until, options.now);
  if (gone || !options.kill) co_return gone;
  const bool forced = co_await force(location, server);
  co_return forced;
}

}  // namespace

int stop(const options& options) {
  const auto location = options.server_location();
  const auto server = read_live(location);
  if (!server) return complain_of_none(options, location.port_file().string());
  ask_to_end(*server, location);
  if (run(end(options, location, *server))) {
    if (options.json) answer(options, "stopped", url_of(*server));
    return done;
  }
  // Once it has unpublished itself, it is answering its last requests, which a second signal
  // cancels, and no command finds it any more.
  std::string advice;
  if (!options.kill)
    advice = read_live(location) ? " End it by force with: berth stop --kill"
                                 : " Cancel its last requests with: " + command_to_end(server->pid);
  complain(fmt::format("{} (PID {}) was asked to stop and has not ended in time.{}",
                       location.server_name(), server->pid, advice));
  return timed_out;
}

}  // namespace berth::cli
