#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/discovery/async.hpp>
#include <berth/discovery/process.hpp>
#include <berth/io/event_loop.hpp>

namespace berth::cli {
namespace {

// Signals that follow each other too closely are one: the second comes when the first has been
// seen.
void ask_again(const record& server) {
  try {
    ask_to_end(server);
  } catch (const error&) {
    // It has ended already.
  }
}

/// The file goes first, the process when its last request is answered.
task<bool> wait_until_gone(location where, record server, deadline until, bool now) {
  const auto unpublished = co_await async::wait_gone(std::move(where), until);
  if (!unpublished) co_return false;
  if (now) ask_again(server);
  const auto ended = co_await async::wait_ended(std::move(server), until);
  co_return ended.has_value();
}

}  // namespace

int stop(const options& given) {
  const location where = given.where();
  const auto server = read_live(where);
  if (!server) return complain_of_none(where);
  ask_to_end(*server);
  const auto until = given.timeout ? deadline::after(*given.timeout) : deadline::never();
  if (run(wait_until_gone(where, *server, until, given.now))) {
    if (given.json) answer(given, "stopped", url_of(*server));
    return done;
  }
  complain(fmt::format("{} (PID {}) was asked to stop and has not ended in time.",
                       where.server_name(), server->pid));
  return timed_out;
}

}  // namespace berth::cli
