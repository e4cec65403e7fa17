#include <algorithm>

#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/discovery/async.hpp>
#include <berth/discovery/json_object.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/discovery/record_codec.hpp>
#include <berth/io/event_loop.hpp>

namespace berth::cli {
namespace {

void print_status_as_json(const location& where, const finding& found) {
  fmt::memory_buffer out;
  json_object object(out);
  object.member("path", where.port_file().string());
  object.member("verdict", to_string(found.judged.state));
  object.member("reason", found.judged.reason);
  write_members(object, found.server);
  object.end();
  print({out.data(), out.size()});
}

void print_field(std::string_view name, std::string_view value) {
  if (!value.empty()) fmt::print("{:<15}{}\n", name, value);
}

void print_status_as_text(const location& where, const finding& found) {
  const record& server = found.server;
  const auto number = [](std::uint64_t value) {
    return value == 0 ? std::string() : std::to_string(value);
  };
  print_field("verdict",
              fmt::format("{} ({})", to_string(found.judged.state), found.judged.reason));
  print_field("path", where.port_file().string());
  print_field("url", url_of(server));
  print_field("pid", number(server.pid));
  print_field("port", number(server.port));
  print_field("host", server.host);
  print_field("started_at", server.started_at);
  print_field("version", server.version);
  print_field("scheme", server.scheme);
  print_field("instance_id", server.instance_id);
  print_field("lock", server.lock);
  print_field("start_time", number(server.origin.start_time));
  print_field("boot_id", server.origin.boot_id);
  print_field("pid_namespace", number(server.origin.pid_namespace));
  print_field("host_id", server.origin.host_id);
  print_field("token", server.token.empty() ? "" : "(set)");
  for (const auto& [name, address] : server.endpoints)
    print_field("endpoint",
                fmt::format("{} {}", name, url_of(address.scheme, address.host, address.port)));
  for (const auto& [name, text] : server.metadata)
    print_field("metadata", fmt::format("{} = {}", name, text));
}

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
  std::string found = url_of(*server);
  if (!given.endpoint.empty()) {
    const auto named = server->endpoints.find(given.endpoint);
    if (named == server->endpoints.end())
      throw invalid_value(
          fmt::format("the server (pid {}) publishes no endpoint \"{}\"; see: berth "
                      "status",
                      server->pid, given.endpoint));
    found = url_of(named->second.scheme, named->second.host, named->second.port);
  }
  if (given.with_token && !server->token.empty()) found += "/?token=" + server->token;
  answer(given, "url", found);
  return done;
}

int status(const options& given) {
  const location where = given.where();
  const auto found = examine(where);
  if (!found) return complain_of_none(where);
  if (given.json)
    print_status_as_json(where, *found);
  else
    print_status_as_text(where, *found);
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
