#include <array>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

#include <berth/base/printable.hpp>
#include <berth/record/json_tolerance.hpp>
#include <berth/record/record_check.hpp>
#include <berth/record/record_codec.hpp>

namespace berth {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

enum class field { pid, port, host, started_at, version };
constexpr std::array<std::string_view, 5> field_names = {"pid", "port", "host", "started_at",
                                                         "version"};

template <typename Integer>
Integer required_integer(element value, std::string_view name) {
  constexpr std::uint64_t most = std::numeric_limits<Integer>::max();
  std::uint64_t number = 0;
  if (value.get(number) == simdjson::SUCCESS && number >= 1 && number <= most)
    return static_cast<Integer>(number);
  if (value.is<std::uint64_t>() || value.is<std::int64_t>())
    throw invalid_record(
        fmt::format("field \"{}\" must be 1-{}, got {}", name, most, simdjson::minify(value)));
  throw invalid_record(fmt::format("field \"{}\" must be a whole number", name));
}

std::string required_string(element value, std::string_view name) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS)
    throw invalid_record(fmt::format("field \"{}\" must be a string", name));
  if (!is_plain_text(text))
    throw invalid_record(fmt::format("field \"{}\" contains a control character", name));
  return std::string(text);
}

std::string required_host(element value) {
  std::string host = required_string(value, "host");
  if (host.empty()) throw invalid_record("field \"host\" is empty");
  if (!is_host(host))
    throw invalid_record(fmt::format(
        "field \"host\" must be a DNS name, an IPv4 address or an IPv6 address, got \"{}\"", host));
  return host;
}

void set_required(record& into, field which, element value) {
  switch (which) {
    case field::pid: into.pid = required_integer<std::uint32_t>(value, "pid"); break;
    case field::port: into.port = required_integer<std::uint16_t>(value, "port"); break;
    case field::host: into.host = required_host(value); break;
    case field::started_at: into.started_at = required_string(value, "started_at"); break;
    case field::version: into.version = required_string(value, "version"); break;
  }
}

// An extension that is malformed, or of another type than ours, is another program's, and is
// ignored.
void set_if_string(std::string& into, element value) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS && is_plain_text(text)) into = text;
}

/// A malformed scheme is an error: without it, the server would be taken for one that speaks HTTP.
void set_scheme(std::string& into, element value) {
  std::string_view scheme;
  if (value.get(scheme) != simdjson::SUCCESS) return;
  if (!is_scheme(scheme))
    throw invalid_record(fmt::format("field \"scheme\" is not a URL scheme: \"{}\"", scheme));
  into = scheme;
}

void set_if_number(std::uint64_t& into, element value) {
  std::uint64_t number = 0;
  if (value.get(number) == simdjson::SUCCESS) into = number;
}

void set_origin(process_origin& into, element value) {
  object members;
  if (value.get(members) != simdjson::SUCCESS) return;
  for (const auto member : members) {
    if (member.key == "start_time")
      set_if_number(into.start_time, member.value);
    else if (member.key == "pid_namespace")
      set_if_number(into.pid_namespace, member.value);
    else if (member.key == "boot_id")
      set_if_string(into.boot_id, member.value);
    else if (member.key == "host_id")
      set_if_string(into.host_id, member.value);
  }
}

std::optional<named_endpoint> endpoint_of(element value) {
  std::string_view host, scheme = "http";
  std::uint64_t port = 0;
  if (value["host"].get(host) != simdjson::SUCCESS || !is_host(host)) return std::nullopt;
  if (value["port"].get(port) != simdjson::SUCCESS || port < 1 || port > 65535) return std::nullopt;
  const auto status = value["scheme"].get(scheme);
  if (status == simdjson::SUCCESS && !is_scheme(scheme)) return std::nullopt;
  return named_endpoint{std::string(host), static_cast<std::uint16_t>(port), std::string(scheme)};
}

void set_endpoints(record& into, element value) {
  object members;
  if (value.get(members) != simdjson::SUCCESS) return;
  for (const auto member : members)
    if (auto one = endpoint_of(member.value); one && is_plain_text(member.key))
      into.endpoints[std::string(member.key)] = std::move(*one);
}

void set_metadata(record& into, element value) {
  object members;
  if (value.get(members) != simdjson::SUCCESS) return;
  for (const auto member : members) {
    std::string_view text;
    if (member.value.get(text) == simdjson::SUCCESS && is_plain_text(text) &&
        is_plain_text(member.key))
      into.metadata[std::string(member.key)] = text;
  }
}

void set_extension(record& into, std::string_view name, element value) {
  if (name == "instance_id")
    set_if_string(into.instance_id, value);
  else if (name == "lock")
    set_if_string(into.lock, value);
  else if (name == "volume")
    set_if_string(into.volume, value);
  else if (name == "process")
    set_origin(into.origin, value);
  else if (name == "scheme")
    set_scheme(into.scheme, value);
  else if (name == "endpoints")
    set_endpoints(into, value);
  else if (name == "token")
    set_if_string(into.token, value);
  else if (name == "metadata")
    set_metadata(into, value);
}

record to_record(element document) {
  object members;
  if (document.get(members) != simdjson::SUCCESS) throw invalid_record("it is not a JSON object");
  record made;
  std::array<bool, field_names.size()> seen{};
  for (const auto member : members) {
    std::size_t index = 0;
    while (index < field_names.size() && field_names[index] != member.key) ++index;
    if (index == field_names.size()) {
      set_extension(made, member.key, member.value);
      continue;
    }
    if (seen[index])
      throw invalid_record(fmt::format("field \"{}\" appears twice", field_names[index]));
    seen[index] = true;
    set_required(made, static_cast<field>(index), member.value);
  }
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (!seen[i]) throw invalid_record(fmt::format("field \"{}\" is missing", field_names[i]));
  return made;
}

// Unknown fields may be nested as deeply as the size allows; simdjson tracks the depth in memory of
// its own, not on the stack.
constexpr std::size_t deepest = max_port_file_size;
constexpr std::size_t usual_depth = 64;

simdjson::error_code try_parse(simdjson::dom::parser& parser, std::string_view padded,
                               element& document) {
  auto status = simdjson::SUCCESS;
  if (parser.capacity() == 0) status = parser.allocate(max_port_file_size, usual_depth);
  if (status == simdjson::SUCCESS)
    status = parser.parse(padded.data(), padded.size(), false).get(document);
  if (status != simdjson::DEPTH_ERROR || parser.max_depth() >= deepest) return status;
  status = parser.allocate(max_port_file_size, deepest);
  if (status != simdjson::SUCCESS) return status;
  return parser.parse(padded.data(), padded.size(), false).get(document);
}

element parse(simdjson::dom::parser& parser, std::string_view padded) {
  element document;
  auto status = try_parse(parser, padded, document);
  if (status == simdjson::NUMBER_ERROR || status == simdjson::STRING_ERROR) {
    std::string mended = with_tolerable_values(padded);
    const std::size_t size = mended.size();
    mended.append(parse_padding, '\0');
    status = try_parse(parser, std::string_view(mended).substr(0, size), document);
  }
  if (status == simdjson::SUCCESS) return document;
  if (status == simdjson::EMPTY) throw invalid_record("it is empty");
  throw invalid_record(fmt::format("it is not JSON ({})", simdjson::error_message(status)));
}

}  // namespace

record parse_record(std::string_view padded) {
  thread_local simdjson::dom::parser parser;
  if (padded.size() > max_port_file_size) throw invalid_record("it is larger than 64 KiB");
  if (padded.starts_with("\xEF\xBB\xBF")) padded.remove_prefix(3);
  return to_record(parse(parser, padded));
}

}  // namespace berth
