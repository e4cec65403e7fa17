#include <fmt/format.h>

#include <berth/discovery/json_object.hpp>
#include <berth/discovery/record_codec.hpp>

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

void check(const record& server) {
  if (server.pid == 0) throw invalid_value("a record needs a pid from 1 to 4294967295");
  if (server.port == 0) throw invalid_value("a record needs a port from 1 to 65535");
  if (server.host.empty()) throw invalid_value("a record needs a host");
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
  write_origin(file, server.origin);
  file.member_if("scheme", server.scheme);
  write_endpoints(file, server);
  file.member_if("token", server.token);
  write_metadata(file, server);
}

}  // namespace berth
