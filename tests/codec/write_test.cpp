// How a record is written, and which are refused.
#include <string>
#include <string_view>

#include <berth/record/record.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/record/record_plain.hpp>

#include "codec/record_text.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace codec_test;

TEST_CASE("the file begins with the five fields in order, indented by two spaces") {
  record made = full();
  made.version = "1";
  REQUIRE_THAT(format_record(made),
               Catch::StartsWith("{\n  \"pid\": 4294967295,\n  \"port\": 65535,\n  \"host\": "
                                 "\"::1\",\n  \"started_at\": \"2026-01-01T00:00:00Z\",\n  "
                                 "\"version\": \"1\""));
}

TEST_CASE("a record that no reader would accept is not written") {
  record made = full();
  made.metadata["large"] = std::string(66'000, 'x');
  REQUIRE_THROWS_WITH(format_record(made), Catch::Contains("64 KiB"));
  made = full();
  made.port = 0;
  REQUIRE_THROWS_AS(format_record(made), invalid_value);
  made = full();
  made.host.clear();
  REQUIRE_THROWS_AS(format_record(made), invalid_value);
  made = full();
  made.pid = 0;
  REQUIRE_THROWS_AS(format_record(made), invalid_value);
}

TEST_CASE("a record with a text that no reader would accept is not written") {
  const auto refused = [](auto change) {
    record made = full();
    change(made);
    try {
      format_record(made);
    } catch (const invalid_value&) {
      return true;
    }
    return false;
  };
  const std::string control = "a\x1B[2Jb";
  REQUIRE(refused([](auto& made) { made.host = "a b"; }));
  REQUIRE(refused([](auto& made) { made.scheme = "a b"; }));
  REQUIRE(refused([](auto& made) { made.scheme.clear(); }));
  REQUIRE(refused([&](auto& made) { made.started_at = control; }));
  REQUIRE(refused([&](auto& made) { made.version = control; }));
  REQUIRE(refused([&](auto& made) { made.version = "\xE9"; }));
  REQUIRE(refused([&](auto& made) { made.instance_id = control; }));
  REQUIRE(refused([&](auto& made) { made.lock = control; }));
  REQUIRE(refused([&](auto& made) { made.origin.boot_id = control; }));
  REQUIRE(refused([&](auto& made) { made.origin.host_id = control; }));
  REQUIRE(refused([&](auto& made) { made.token = control; }));
  REQUIRE(refused([&](auto& made) { made.metadata["name"] = control; }));
  REQUIRE(refused([&](auto& made) { made.metadata[control] = "text"; }));
  REQUIRE(refused([&](auto& made) { made.endpoints[control] = {"h", 1, "tcp"}; }));
  REQUIRE(refused([](auto& made) { made.endpoints["x"] = {"a b", 1, "tcp"}; }));
  REQUIRE(refused([](auto& made) { made.endpoints["x"] = {"h", 0, "tcp"}; }));
  REQUIRE(refused([](auto& made) { made.endpoints["x"] = {"h", 1, "a b"}; }));
}

TEST_CASE("the file names the URL of the main endpoint, which no reader depends on") {
  record made = full();
  made.version = "1";
  const auto text = format_record(made);
  REQUIRE_THAT(text, Catch::Contains("\n  \"url\": \"https://[::1]:65535\",\n"));
  const auto other = [&](std::string_view url) {
    std::string changed = text;
    return changed.replace(changed.find("\"https://[::1]:65535\""), 21, url);
  };
  for (const std::string_view url : {"\"\"", "\"javascript:x\"", "7", "\"\\n\""}) {
    INFO(url);
    REQUIRE(parse(other(url)) == made);
  }
  record quick;
  REQUIRE(parse_plain_record(text, quick));
  REQUIRE(parse_plain_record(other("\"x\""), quick));
}
