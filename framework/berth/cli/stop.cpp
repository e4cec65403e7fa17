#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/discovery/async.hpp>
#include <berth/discovery/process.hpp>
#include <berth/io/event_loop.hpp>

namespace berth::cli {
namespace {

// The pid must mean here what it meant to the server.
void check_reachable(const record& server) {
  const process_origin& here = origin_of_this_system();
  if (!differs(server.origin.host_id, here.host_id) &&
      !differs(server.origin.pid_namespace, here.pid_namespace))
    return;
  throw error(fmt::format("the server (pid {}) runs on another machine or in another pid "
                          "namespace: stop it there",
                          server.pid),
              std::make_error_code(std::errc::not_supported));
}

/// The file goes first, the process when its last request is answered.
task<bool> wait_until_gone(location where, record server, deadline until) {
  const auto unpublished = co_await async::wait_gone(std::move(where), until);
  if (!unpublished) co_return false;
  const auto ended = co_await async::wait_ended(std::move(server), until);
  co_return ended.has_value();
}

}  // namespace

int stop(const options& given) {
  const location where = given.where();
  const auto server = read_live(where);
  if (!server) return complain_of_none(where);
  check_reachable(*server);
  ask_to_end(server->pid, server->origin.start_time);
  if (given.now) ask_to_end(server->pid, server->origin.start_time);
  const auto until = given.timeout ? deadline::after(*given.timeout) : deadline::never();
  if (run(wait_until_gone(where, *server, until))) {
    if (given.json) answer(given, "stopped", url_of(*server));
    return done;
  }
  complain(fmt::format("{} (PID {}) was asked to stop and has not ended in time.",
                       where.server_name(), server->pid));
  return timed_out;
}

}  // namespace berth::cli
