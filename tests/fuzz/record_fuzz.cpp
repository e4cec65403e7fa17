// Any text as a port file: refused with the path, or a record that writes and reads back the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include <berth/discovery/record_codec.hpp>

namespace {

berth::record parse(std::string text) {
  const std::size_t size = text.size();
  text.append(berth::parse_padding, '\0');
  return berth::parse_record({text.data(), size}, "/x/server.json");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  berth::record found;
  try {
    found = parse(std::string(reinterpret_cast<const char*>(data), size));
  } catch (const berth::invalid_port_file& invalid) {
    if (!std::string_view(invalid.what()).starts_with("Invalid port file /x/server.json: "))
      std::abort();
    return 0;
  }
  std::string text;
  try {
    text = berth::format_record(found);
  } catch (const berth::invalid_value&) {
    return 0;  // escapes can make it larger than a port file may be
  }
  if (found.scheme.empty()) found.scheme = "http";
  if (parse(text) != found) std::abort();
  return 0;
}
