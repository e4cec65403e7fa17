#include <berth/cli/output.hpp>

#include <cstdio>

#include <fmt/format.h>

#include <berth/discovery/json_object.hpp>

namespace berth::cli {

void print(std::string_view text) {
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

void answer(const options& given, std::string_view name, std::string_view value) {
  if (!given.json) return print(value);
  fmt::memory_buffer out;
  json_object object(out);
  object.member(name, value);
  object.end();
  print({out.data(), out.size()});
}

void complain(std::string_view message) { fmt::print(stderr, "berth: {}\n", message); }

int complain_of_none(const location& where) {
  complain(fmt::format("No running {} found (checked {}).", where.server_name(),
                       where.port_file().string()));
  return no_live_server;
}

}  // namespace berth::cli
