#include <berth/discovery/ensure.hpp>

#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/io/event_loop.hpp>

namespace berth::cli {

int ensure(const options& given) {
  const location where = given.where();
  ensure_options wanted;
  wanted.until = deadline::after(given.timeout.value_or(std::chrono::seconds(30)));
  wanted.exact_version = given.exact_version;
  wanted.minimum_version = given.minimum_version;
  wanted.log = given.log;
  try {
    const auto server = run(berth::ensure(where, given.command, wanted));
    if (server) {
      answer(given, "url", url_of(*server));
      return done;
    }
    if (!server.timed_out()) throw error(server.error(), "start", given.command.front());
  } catch (const start_failed& failed_start) {
    if (failed_start.code() != std::errc::timed_out) throw;
    complain(failed_start.what());
    return timed_out;
  }
  complain(fmt::format("Another process was starting {} all the time (watched {}).",
                       where.server_name(), where.port_file().string()));
  return timed_out;
}

}  // namespace berth::cli
