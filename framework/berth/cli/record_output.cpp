#include <berth/cli/record_output.hpp>

#include <fmt/format.h>

#include <berth/cli/output.hpp>
#include <berth/record/json_object.hpp>
#include <berth/record/record_codec.hpp>

namespace berth::cli {
namespace {

void print_status_as_json(const std::string& path, const verdict& judged, const record& server) {
  fmt::memory_buffer out;
  json_object object(out);
  if (judged.state == liveness::dead)
    object.member("error", fmt::format("the server is not running: {}", judged.reason));
  object.member("path", path);
  object.member("verdict", to_string(judged.state));
  object.member("reason", judged.reason);
  write_members(object, server);
  object.end();
  print_json({out.data(), out.size()});
}

void print_field(std::string_view name, std::string_view value) {
  if (!value.empty()) print(fmt::format("{:<15}{}", name, value));
}

void print_status_as_text(const std::string& path, const verdict& judged, const record& server) {
  const auto number = [](std::uint64_t value) {
    return value == 0 ? std::string() : std::to_string(value);
  };
  print_field("verdict", fmt::format("{} ({})", to_string(judged.state), judged.reason));
  print_field("path", path);
  print_field("url", url_of(server));
  print_field("pid", number(server.pid));
  print_field("port", number(server.port));
  print_field("host", server.host);
  print_field("started_at", server.started_at);
  print_field("version", server.version);
  print_field("scheme", server.scheme);
  print_field("instance_id", server.instance_id);
  print_field("lock", server.lock);
  print_field("volume", server.volume);
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

}  // namespace

void print_status(const options& options, const std::string& path, const verdict& judged,
                  const record& server) {
  if (options.json)
    print_status_as_json(path, judged, server);
  else
    print_status_as_text(path, judged, server);
}

std::string url_for(const options& options, const record& server) {
  std::string found = url_of(server);
  if (!options.endpoint.empty()) {
    const auto named = server.endpoints.find(options.endpoint);
    if (named == server.endpoints.end())
      throw invalid_value(
          fmt::format("the server (pid {}) publishes no endpoint \"{}\"; see: berth status",
                      server.pid, options.endpoint));
    found = url_of(named->second.scheme, named->second.host, named->second.port);
  }
  if (!options.with_token || server.token.empty()) return found;
  return url_with_token(std::move(found), server.token);
}

}  // namespace berth::cli
