#include <algorithm>

#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/cli/record_output.hpp>
#include <berth/discovery/async.hpp>
#include <berth/discovery/json_object.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/discovery/record_codec.hpp>
#include <berth/io/event_loop.hpp>

namespace berth::cli {
namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed))
    if (entry.path().extension() == ".json" && is_plain_name(entry.path().stem().string()))
      files.push_back(entry.path());
  if (failed && failed != std::errc::no_such_file_or_directory)
    throw error(failed, "list", directory.string());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int path(const options& given) {
  answer(given, "path", given.where().port_file().string());
  return done;
}

int url(const options& given) {
  const location where = given.where();
  const auto server = read_live(where);
  if (!server) return complain_of_none(where);
  answer(given, "url", url_for(given, *server));
  return done;
}

int status(const options& given) {
  const location where = given.where();
  const auto found = examine(where);
  if (!found) return complain_of_none(where);
  print_status(given, where.port_file().string(), found->judged, found->server);
  return found->stale() ? no_live_server : done;
}

int wait(const options& given) {
  const location where = given.where();
  const auto until = given.timeout ? deadline::after(*given.timeout) : deadline::never();
  const auto server = run(async::wait_live(where, until));
  if (server) {
    answer(given, "url", url_of(*server));
    return done;
  }
  complain(fmt::format("No running {} appeared in time (watched {}).", where.server_name(),
                       where.port_file().string()));
  return timed_out;
}

int clean(const options& given) {
  const location base = given.where();
  std::vector<std::string> removed;
  for (const auto& file : files_of(base.directory)) {
    const location where(base.application, base.directory, file.stem().string());
    try {
      if (remove_stale(where)) removed.push_back(file.string());
    } catch (const invalid_port_file& invalid) {
      complain(fmt::format("left alone: {}", invalid.what()));
    }
  }
  if (!given.json) {
    for (const auto& each : removed) print(each);
    return done;
  }
  fmt::memory_buffer out;
  json_object object(out);
  object.member("removed", removed);
  object.end();
  print({out.data(), out.size()});
  return done;
}

}  // namespace berth::cli
