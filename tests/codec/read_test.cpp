// Which texts are valid records, and what is ignored in them.
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <berth/record/record.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/record/record_plain.hpp>

#include "codec/record_text.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace codec_test;

TEST_CASE("a record survives writing and reading") {
  REQUIRE(parse(format_record(full())) == full());
}

TEST_CASE("the quick way reads what berth writes, and never anything else than the long way") {
  record made = full();
  made.version = "1.2.3";
  const std::string text = format_record(made);
  record quick;
  REQUIRE(parse_plain_record(text, quick));
  REQUIRE(quick == made);
  const auto agrees = [](const std::string& changed) {
    record read;
    return !parse_plain_record(changed, read) || parse(changed) == read;
  };
  constexpr std::string_view others("\0\x1F \"\\,:{}[]019-.aé\x7F\x80\xFF", 22);
  for (std::size_t i = 0; i < text.size(); ++i) {
    INFO(i);
    REQUIRE(agrees(text.substr(0, i)));
    REQUIRE(agrees(text.substr(0, i) + text.substr(i + 1)));
    for (const char other : others) {
      std::string changed = text;
      changed[i] = other;
      REQUIRE(agrees(changed));
      REQUIRE(agrees(changed.insert(i, 1, other)));
    }
  }
  // Every member twice: what is required may not be, of the others the last counts.
  std::vector<std::string> lines;
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(text.substr(at, end + 1 - at));
  for (std::size_t twice = 0; twice < lines.size(); ++twice) {
    std::string changed;
    for (std::size_t i = 0; i < lines.size(); ++i)
      changed += i == twice ? lines[i] + lines[i] : lines[i];
    REQUIRE(agrees(changed));
  }
}

TEST_CASE("five fields are enough, in any order, with unknown ones beside them") {
  const auto read = parse(
      R"({"x":[{"pid":7}],"version":"v","started_at":"","host":"h","port":1,"y":null,"pid":1})");
  REQUIRE(read.pid == 1);
  REQUIRE(read.scheme == "http");
}

TEST_CASE("an unknown field may hold a number of any size and half of a surrogate pair") {
  for (const std::string odd :
       {"123456789012345678901234567890", "-99999999999999999999", "1e999", "-1.5E+400", "1e-999",
        R"("\ud800")", R"(["\udc00\ud83d\ude00","\\ud800",18446744073709551615,1.25])"}) {
    auto text = with("", "");
    text.pop_back();
    INFO(odd);
    REQUIRE(parse(text + ",\"x\":" + odd + ",\"scheme\":\"s\"}").scheme == "s");
  }
  auto text = with("", "");
  text.pop_back();
  const auto read = parse(text + R"(,"lock":"a\ud800b","token":"\ud83d\ude00","x":1e999})");
  REQUIRE(read.lock ==
          "a\xEF\xBF\xBD"
          "b");
  REQUIRE(read.token == "\xF0\x9F\x98\x80");
}

TEST_CASE("a leading byte-order mark is no fault") {
  REQUIRE(parse("\xEF\xBB\xBF" + with("", "")).port == 8080);
}

TEST_CASE("extensions of another type are not ours, and ignored") {
  auto text = with("", "");
  text.pop_back();
  text +=
      R"(,"process":5,"endpoints":{"a":1,"b":{"host":"","port":1},"c":{"host":"h","port":70000}},)"
      R"("metadata":{"k":1},"token":[],"scheme":{},"lock":7})";
  const auto read = parse(text);
  REQUIRE(read.endpoints.empty());
  REQUIRE(read.metadata.empty());
  REQUIRE(read.scheme == "http");
}

TEST_CASE("a bad document is invalid, with field and reason named") {
  const auto message = [](const std::string& text) -> std::string {
    try {
      parse(text);
    } catch (const invalid_record& invalid) {
      return invalid.what();
    }
    return "accepted";
  };
  const std::tuple<std::string, std::string> bad[] = {
      {"", "it is empty"},
      {"   ", "it is empty"},
      {"{ invalid json", "it is not JSON"},
      {"[1]", "it is not a JSON object"},
      {"5", "it is not a JSON object"},
      {with("", "") + "x", "it is not JSON"},
      {with("pid", "0"), "field \"pid\" must be 1-4294967295, got 0"},
      {with("pid", "4294967296"), "field \"pid\" must be 1-4294967295, got 4294967296"},
      {with("pid", "-1"), "field \"pid\" must be 1-4294967295, got -1"},
      {with("pid", "1.5"), "field \"pid\" must be a whole number"},
      {with("pid", "\"1\""), "field \"pid\" must be a whole number"},
      {with("pid", "99999999999999999999999"), "field \"pid\" must be a whole number"},
      {with("port", "1e999"), "field \"port\" must be a whole number"},
      {with("port", "01"), "it is not JSON"},
      {with("port", "1e"), "it is not JSON"},
      {with("port", "-"), "it is not JSON"},
      {with("port", "0"), "field \"port\" must be 1-65535, got 0"},
      {with("port", "65536"), "field \"port\" must be 1-65535, got 65536"},
      {with("port", "null"), "field \"port\" must be a whole number"},
      {with("port", "true"), "field \"port\" must be a whole number"},
      {with("host", "\"\""), "field \"host\" is empty"},
      {with("host", "7"), "field \"host\" must be a string"},
      {with("host", "\"a\\u0000b\""), "field \"host\" contains a control character"},
      {with("host", "\"a\\u0085b\""), "field \"host\" contains a control character"},
      {with("host", "\"a b\""), "field \"host\" must be a DNS name, an IPv4 address or"},
      {with("host", "\"h/x?\""), "field \"host\" must be a DNS name, an IPv4 address or"},
      {with("version", "\"\\u001b[2J\""), "field \"version\" contains a control character"},
      {with("started_at", "\"\x7F\""), "field \"started_at\" contains a control character"},
      {with("", "").insert(1, R"("scheme":"java script",)"),
       "field \"scheme\" is not a URL scheme"},
      {with("", "").insert(1, R"("scheme":"",)"), "field \"scheme\" is not a URL scheme"},
      {with("host", "\"a\xFF\""), "it is not JSON"},
      {with("started_at", "[]"), "field \"started_at\" must be a string"},
      {with("version", "{}"), "field \"version\" must be a string"},
      {R"({"pid":1,"port":1,"host":"h","started_at":"s"})", "field \"version\" is missing"},
      {R"({"pid":1,"pid":1,"port":1,"host":"h","started_at":"s","version":"v"})",
       "field \"pid\" appears twice"},
      {with("version", "\"" + std::string(70'000, 'v') + "\""), "it is larger than 64 KiB"},
  };
  for (const auto& [text, reason] : bad) {
    INFO(text.substr(0, 100));
    REQUIRE_THAT(message(text), Catch::StartsWith(reason));
  }
}

TEST_CASE("nesting in an unknown field is ignored however deep it is") {
  const std::size_t depth = 30'000;
  auto text = with("", "");
  text.pop_back();
  text += ",\"x\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  REQUIRE(parse(text).pid == 1);
  REQUIRE(parse(with("", "")).pid == 1);
}

TEST_CASE("a malformed extension is ignored, and what is well-formed beside it is read") {
  auto text = with("", "");
  text.pop_back();
  const auto read = parse(text + R"(,"token":"a\nb","instance_id":"\u001b","lock":"\u007f",)"
                                 R"("process":{"boot_id":"\u0085","host_id":"id"},)"
                                 R"("metadata":{"a":"\n","b\n":"x","c":"kept"},)"
                                 R"("endpoints":{"a":{"host":"x y","port":1},)"
                                 R"("b":{"host":"h","port":1,"scheme":"x y"},)"
                                 R"("c\n":{"host":"h","port":1},"d":{"host":"h","port":1}}})");
  REQUIRE(read.token.empty());
  REQUIRE(read.instance_id.empty());
  REQUIRE(read.lock.empty());
  REQUIRE(read.origin.boot_id.empty());
  REQUIRE(read.origin.host_id == "id");
  REQUIRE(read.metadata == std::map<std::string, std::string>{{"c", "kept"}});
  REQUIRE(read.endpoints.size() == 1);
  REQUIRE(read.endpoints.at("d") == named_endpoint{"h", 1, "http"});
}
