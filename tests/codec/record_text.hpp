// Records, and texts of them with one field changed.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <berth/record/record.hpp>
#include <berth/record/record_codec.hpp>

namespace codec_test {

using namespace berth;

inline record parse(std::string text) {
  const std::size_t size = text.size();
  text.append(parse_padding, '\0');
  return parse_record({text.data(), size});
}

inline std::string with(std::string_view field, std::string_view value) {
  std::string text = "{";
  const std::pair<std::string_view, std::string_view> all[] = {{"pid", "1"},
                                                               {"port", "8080"},
                                                               {"host", "\"h\""},
                                                               {"started_at", "\"s\""},
                                                               {"version", "\"v\""}};
  for (const auto& [name, usual] : all) {
    if (text.size() > 1) text += ",";
    text += "\"" + std::string(name) + "\":" + std::string(name == field ? value : usual);
  }
  return text + "}";
}

inline record full() {
  record made;
  made.pid = 4294967295;
  made.port = 65535;
  made.host = "::1";
  made.started_at = "2026-01-01T00:00:00Z";
  made.version = "1 \"quoted\" \\ \xC3\xA4";
  made.instance_id = "abc";
  made.lock = "ofd";
  made.origin = {12, 13, "boot", "host"};
  made.scheme = "https";
  made.endpoints["admin"] = {"127.0.0.1", 9, "tcp"};
  made.token = "secret";
  made.metadata = {{"a", "b"}, {"c", ""}};
  return made;
}

}  // namespace codec_test
