#include <berth/discovery/ensure.hpp>

#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/io/event_loop.hpp>

namespace berth::cli {
namespace {

using starter = task<result<record>> (*)(location, std::vector<std::string>, ensure_options);

int start(const options& given, starter by) {
  const location where = given.where();
  ensure_options wanted;
  wanted.until = deadline::after(given.timeout.value_or(std::chrono::seconds(30)));
  wanted.exact_version = given.exact_version;
  wanted.minimum_version = given.minimum_version;
  wanted.log = given.log;
  try {
    const auto server = run(by(where, given.command, wanted));
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
  complain(fmt::format("{} was neither started nor replaced in time (watched {}).",
                       where.server_name(), where.port_file().string()));
  return timed_out;
}

}  // namespace

int ensure(const options& given) { return start(given, berth::ensure); }

int replace(const options& given) { return start(given, berth::replace); }

}  // namespace berth::cli
