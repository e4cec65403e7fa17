#include <berth/plugins/etcd_answer.hpp>

#include <charconv>

#include <simdjson.h>

#include <berth/plugins/base64.hpp>

namespace berth {

std::string text_at(const std::string& json, std::string_view path) {
  simdjson::dom::parser parser;
  simdjson::dom::element found;
  if (parser.parse(json).at_pointer(path).get(found) != simdjson::SUCCESS) return {};
  std::string_view text;
  if (found.get(text) == simdjson::SUCCESS) return std::string(text);
  return simdjson::minify(found);
}

std::optional<etcd_range> parse_range(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(json).get(document) != simdjson::SUCCESS) return std::nullopt;
  etcd_range found;
  std::string_view revision;
  std::int64_t number = 0;
  if (document["header"]["revision"].get(revision) == simdjson::SUCCESS &&
      std::from_chars(revision.data(), revision.data() + revision.size(), number).ec == std::errc())
    found.revision = number;
  simdjson::dom::array all;
  if (document["kvs"].get(all) != simdjson::SUCCESS) return found;  // none
  for (const auto each : all) {
    std::string_view key, value;
    if (each["key"].get(key) != simdjson::SUCCESS) continue;
    if (each["value"].get(value) != simdjson::SUCCESS) continue;
    auto plain_key = from_base64(key), plain_value = from_base64(value);
    if (plain_key && plain_value)
      found.entries.push_back({std::move(*plain_key), std::move(*plain_value)});
  }
  return found;
}

bool tells_of_change(std::string_view line) {
  for (const std::string_view news : {"\"events\"", "\"canceled\"", "\"error\""})
    if (line.find(news) != std::string_view::npos) return true;
  return false;
}

}  // namespace berth
