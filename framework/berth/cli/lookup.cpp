#include <algorithm>

#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/cli/record_output.hpp>
#include <berth/cli/server_source.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/record/json_object.hpp>
#include <berth/record/record_codec.hpp>

namespace berth::cli {
namespace {

std::vector<std::filesystem::path> port_files_in(const std::filesystem::path& directory) {
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

int path(const options& options) {
  answer_path(options, options.server_location().port_file().string());
  return done;
}

int url(const options& options) {
  const auto source = open_server_source(options);
  const auto server = source->find();
  if (!server) return complain_of_none(options, source->name());
  answer(options, "url", url_for(options, *server));
  return done;
}

int status(const options& options) {
  const auto source = open_server_source(options);
  const auto published = source->examine();
  if (published.empty()) return complain_of_none(options, source->name());
  for (const auto& each : published) {
    if (&each != &published.front()) print("");
    print_status(options, source->name(), each.judged, each.server);
    if (options.json) break;  // one document
  }
  return published.front().judged.state == liveness::dead ? no_live_server : done;
}

int wait(const options& options) {
  const auto source = open_server_source(options);
  const auto until = options.timeout ? deadline::after(*options.timeout) : deadline::never();
  if (const auto server = source->wait(until)) {
    answer(options, "url", url_of(*server));
    return done;
  }
  complain(fmt::format("No running {}-server appeared in time (watched {}).", options.application,
                       source->name()));
  return timed_out;
}

int clean(const options& options) {
  const location base = options.server_location();
  std::vector<std::string> removed;
  for (const auto& file : port_files_in(base.directory)) {
    const location location(base.application, base.directory, file.stem().string());
    try {
      // Looking needs no write access; only removing a file does.
      const auto found = examine_to_replace(location);
      if (found && !found->stale()) continue;
      if (remove_stale_or_invalid(location)) removed.push_back(file.string());
    } catch (const invalid_port_file& invalid) {
      complain(fmt::format("left alone: {}", invalid.what()));
    }
  }
  if (!options.json) {
    if (!removed.empty()) print_lines(removed);
    return done;
  }
  fmt::memory_buffer out;
  json_object object(out);
  object.member("removed", removed);
  object.end();
  print_json({out.data(), out.size()});
  return done;
}

}  // namespace berth::cli
