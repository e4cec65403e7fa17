// Any text as a port file: refused with a reason, or a record that writes and reads back the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include <berth/base/printable.hpp>
#include <berth/record/record_check.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/record/record_plain.hpp>

namespace {

berth::record parse(std::string text) {
  const std::size_t size = text.size();
  text.append(berth::parse_padding, '\0');
  return berth::parse_record({text.data(), size});
}

/// RFC 3986, 2: the characters of a URI.
bool is_uri(const std::string& url) {
  return url.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/"
             "?#[]@!$&'()*+,;=%") == std::string::npos;
}

/// The bytes that grow when they are written.
std::size_t text_size_of(const berth::record& server) {
  std::size_t size = server.host.size() + server.started_at.size() + server.version.size() +
                     server.instance_id.size() + server.lock.size() + server.token.size() +
                     server.origin.boot_id.size() + server.origin.host_id.size() +
                     server.scheme.size();
  for (const auto& [name, text] : server.metadata) size += 16 + name.size() + text.size();
  for (const auto& [name, at] : server.endpoints)
    size += 96 + name.size() + at.host.size() + at.scheme.size();
  return size;
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
    if (text_size_of(found) < berth::max_port_file_size / 8) std::abort();
    return 0;  // escapes can make it larger than a port file may be
  }
  if (parse(text) != found) std::abort();
  for (const auto& [name, at] : found.endpoints)
    if (!berth::is_plain_text(name) || !berth::is_host(at.host) || !berth::is_scheme(at.scheme))
      std::abort();
  if (!is_uri(berth::url_with_token(berth::url_of(found), found.token))) std::abort();
  return 0;
}
