#include <fmt/format.h>

#include <berth/record/json_object.hpp>
#include <berth/record/record_check.hpp>
#include <berth/record/record_codec.hpp>

namespace berth {
namespace {

void write_origin(json_object& file, const process_origin& origin) {
  if (origin == process_origin{}) return;
  auto process = file.object("process");
  process.member_if("start_time", origin.start_time);
  process.member_if("pid_namespace", origin.pid_namespace);
  process.member_if("boot_id", origin.boot_id);
  process.member_if("host_id", origin.host_id);
  process.end();
}

void write_endpoints(json_object& file, const record& server) {
  if (server.endpoints.empty()) return;
  auto endpoints = file.object("endpoints");
  for (const auto& [name, address] : server.endpoints) {
    auto one = endpoints.object(name);
    one.member("host", address.host);
    one.member("port", address.port);
    one.member("scheme", address.scheme);
    one.end();
  }
  endpoints.end();
}

void write_metadata(json_object& file, const record& server) {
  if (server.metadata.empty()) return;
  auto metadata = file.object("metadata");
  for (const auto& [name, text] : server.metadata) metadata.member(name, text);
  metadata.end();
}

void check(std::string_view name, const named_endpoint& address) {
  check_plain_text(name, "the name of an endpoint");
  check_host(address.host, fmt::format("the host of endpoint \"{}\"", name));
  check_scheme(address.scheme, fmt::format("the scheme of endpoint \"{}\"", name));
  if (address.port == 0)
    throw invalid_value(fmt::format("endpoint \"{}\" needs a port from 1 to 65535", name));
}

void check(const record& server) {
  if (server.pid == 0) throw invalid_value("a record needs a pid from 1 to 4294967295");
  if (server.port == 0) throw invalid_value("a record needs a port from 1 to 65535");
  if (server.host.empty()) throw invalid_value("a record needs a host");
  check_host(server.host, "the host of a record");
  check_scheme(server.scheme, "the scheme of a record");
  const std::pair<std::string_view, std::string_view> texts[] = {
      {"started_at", server.started_at},   {"version", server.version},
      {"instance_id", server.instance_id}, {"lock", server.lock},
      {"volume", server.volume},           {"boot_id", server.origin.boot_id},
      {"host_id", server.origin.host_id},  {"token", server.token}};
  for (const auto& [name, text] : texts) check_plain_text(text, name);
  for (const auto& [name, address] : server.endpoints) check(name, address);
  for (const auto& [name, text] : server.metadata) {
    check_plain_text(name, "a name in metadata");
    check_plain_text(text, fmt::format("metadata \"{}\"", name));
  }
}

}  // namespace

std::string format_record(const record& server) {
  check(server);
  fmt::memory_buffer out;
  json_object file(out);
  write_members(file, server);
  file.end();
  out.push_back('\n');
  if (out.size() > max_port_file_size)
    throw invalid_value(
        fmt::format("the record would take {} bytes, more than the 64 KiB of a port file: publish "
                    "less metadata",
                    out.size()));
  return fmt::to_string(out);
}

void write_members(json_object& file, const record& server) {
  file.member("pid", server.pid);
  file.member("port", server.port);
  file.member("host", server.host);
  file.member("started_at", server.started_at);
  file.member("version", server.version);
  file.member_if("instance_id", server.instance_id);
  file.member_if("lock", server.lock);
  file.member_if("volume", server.volume);
  write_origin(file, server.origin);
  file.member("scheme", server.scheme);
  file.member("url", url_of(server));
  write_endpoints(file, server);
  file.member_if("token", server.token);
  write_metadata(file, server);
}

}  // namespace berth
