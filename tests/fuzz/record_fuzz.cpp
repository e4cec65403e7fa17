// Any text as a port file: refused with a reason, or a record that writes and reads back the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include <berth/discovery/record_codec.hpp>
#include <berth/discovery/record_plain.hpp>

namespace {

berth::record parse(std::string text) {
  const std::size_t size = text.size();
  text.append(berth::parse_padding, '\0');
  return berth::parse_record({text.data(), size});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string given(reinterpret_cast<const char*>(data), size);
  berth::record found, plain;
  if (berth::parse_plain_record(given, plain) && parse(given) != plain) std::abort();
  try {
    found = parse(given);
  } catch (const berth::invalid_record& invalid) {
    if (std::string_view(invalid.what()).empty()) std::abort();
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
