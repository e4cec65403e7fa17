#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/printable.hpp>
#include <berth/base/redact.hpp>
#include <berth/record/json_object.hpp>
#include <berth/record/record_check.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/record/record_plain.hpp>

#include "support/catch.hpp"

using namespace berth;

namespace {

record parse(std::string text) {
  const std::size_t size = text.size();
  text.append(parse_padding, '\0');
  return parse_record({text.data(), size});
}

std::string with(std::string_view field, std::string_view value) {
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

record full() {
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

}  // namespace

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

TEST_CASE("the file begins with the five fields in order, indented by two spaces") {
  record made = full();
  made.version = "1";
  REQUIRE_THAT(format_record(made),
               Catch::StartsWith("{\n  \"pid\": 4294967295,\n  \"port\": 65535,\n  \"host\": "
                                 "\"::1\",\n  \"started_at\": \"2026-01-01T00:00:00Z\",\n  "
                                 "\"version\": \"1\""));
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

TEST_CASE("a host is a DNS name, an IPv4 address, or an IPv6 address with an optional zone") {
  for (const std::string_view good : {"localhost",
                                      "h",
                                      "a-b.example",
                                      "my_service",
                                      "example.",
                                      "xn--bcher-kva.example",
                                      "1a",
                                      "127.0.0.1",
                                      "0.0.0.0",
                                      "255.255.255.255",
                                      "::",
                                      "::1",
                                      "1:2:3:4:5:6:7:8",
                                      "1::8",
                                      "1:2:3:4:5:6:7::",
                                      "fe80::1%eth0",
                                      "fe80::1%1",
                                      "::ffff:127.0.0.1",
                                      "64:ff9b::1.2.3.4",
                                      "1:2:3:4:5:6:1.2.3.4",
                                      "FE80::ABCD"}) {
    INFO(good);
    REQUIRE(is_host(good));
  }
  const std::string label(64, 'a');
  std::string name;
  while (name.size() <= 253) name += "abcdefg.";
  for (const std::string_view bad : {std::string_view(""),
                                     std::string_view("h\0", 2),
                                     std::string_view(label),
                                     std::string_view(name),
                                     std::string_view(" h"),
                                     std::string_view("a b"),
                                     std::string_view("a..b"),
                                     std::string_view("."),
                                     std::string_view("-a"),
                                     std::string_view("a-.b"),
                                     std::string_view("b\xC3\xBC"),
                                     std::string_view("a/b"),
                                     std::string_view("a@b"),
                                     std::string_view("a?b"),
                                     std::string_view("a#b"),
                                     std::string_view("a\\b"),
                                     std::string_view("a%b"),
                                     std::string_view("*"),
                                     std::string_view("$(x)"),
                                     std::string_view("h:80"),
                                     std::string_view("[::1]"),
                                     std::string_view("127.1"),
                                     std::string_view("2130706433"),
                                     std::string_view("0x7f.1"),
                                     std::string_view("256.1.1.1"),
                                     std::string_view("01.2.3.4"),
                                     std::string_view("1.2.3.4."),
                                     std::string_view("1.2.3.4.5"),
                                     std::string_view(":"),
                                     std::string_view(":::"),
                                     std::string_view("1:"),
                                     std::string_view(":1"),
                                     std::string_view("1::2::3"),
                                     std::string_view("1:2:3:4:5:6:7"),
                                     std::string_view("1:2:3:4:5:6:7:8:9"),
                                     std::string_view("1:2:3:4:5:6:7::8"),
                                     std::string_view("12345::"),
                                     std::string_view("::g"),
                                     std::string_view("::1%"),
                                     std::string_view("::1%a/b"),
                                     std::string_view("::1%a%b"),
                                     std::string_view("::1%a b"),
                                     std::string_view("1.2.3.4::"),
                                     std::string_view("::1.2.3"),
                                     std::string_view("1:2:3:4:5:6:7:1.2.3.4")}) {
    INFO(bad);
    REQUIRE_FALSE(is_host(bad));
  }
}

TEST_CASE("a scheme is a letter and what RFC 3986 lets follow it") {
  for (const std::string_view good : {"http", "a", "h2c", "coap+tcp", "x-y.z", "HTTP"})
    REQUIRE(is_scheme(good));
  for (const std::string_view bad : {"", "1a", "+a", "a b", "a:", "a/b", "a_b", "\xC3\xA4", "a\n"})
    REQUIRE_FALSE(is_scheme(bad));
}

TEST_CASE("what is printed holds no control character, no forged line and no invalid UTF-8") {
  REQUIRE(printable("plain \xC3\xA4 \\ \"\xF0\x9F\x98\x80\"") ==
          "plain \xC3\xA4 \\ \"\xF0\x9F\x98\x80\"");
  REQUIRE(printable("a\nb\r\t\x1B[31m\x7F") == "a\\nb\\r\\t\\x1b[31m\\x7f");
  REQUIRE(printable({"\0", 1}) == "\\x00");
  REQUIRE(printable("\xC2\x9B\xE2\x80\xAE\xE2\x80\xA8") == "\\u009b\\u202e\\u2028");
  REQUIRE(printable("caf\xE9 \xC0\x80 \xED\xA0\x80 \xF4\x90\x80\x80 \xE2\x82") ==
          "caf\\xe9 \\xc0\\x80 \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xe2\\x82");
  REQUIRE(printable_lines("ends:\none\x1B\n  two\n\n") == "ends:\none\\x1b\n  two\n\n");
  const std::string once = printable_lines("x\ny\xFF\nz");
  REQUIRE(printable_lines(once) == once);
}

TEST_CASE("a URL is shown without its password") {
  REQUIRE(without_password("etcd://me:pw@h:1/x") == "etcd://me:***@h:1/x");
  REQUIRE(without_password("etcd://me:p/w@x:y@h:1") == "etcd://me:***@h:1");
  REQUIRE(without_password("me:pw@h") == "me:***@h");
  REQUIRE(without_password("etcd://me:pw") == "etcd://me:***");
  REQUIRE(without_password("etcds://me:4p,w/x") == "etcds://me:***");
  for (const std::string_view harmless :
       {"", "file", "etcd://h:1,i:2/x?ca=f", "etcd://me@h:1", "http://h:1;http://i:2",
        "etcd://me:@h:1", "http://h:1/a:b"}) {
    REQUIRE(without_password(harmless) == harmless);
    REQUIRE_FALSE(has_password(harmless));
  }
}

TEST_CASE("an error's message may be printed whatever it is made of") {
  const auto code = std::make_error_code(std::errc::io_error);
  const error failed(code, "read", "\x1B[2J\nforged\xE9");
  REQUIRE_THAT(failed.what(), Catch::StartsWith("cannot read \\x1b[2J\\nforged\\xe9: "));
  REQUIRE(failed.path() == "\x1B[2J\nforged\xE9");
  REQUIRE(std::string(error("a\nb", code, "one\ntwo\x1B").what()) == "a\\nb\none\ntwo\\x1b");
}

TEST_CASE("JSON is valid UTF-8 whatever it is made of") {
  const auto json = [](std::string_view text) {
    fmt::memory_buffer out;
    write_json_string(out, text);
    return fmt::to_string(out);
  };
  REQUIRE(json("caf\xE9 \xED\xA0\x80") ==
          "\"caf\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  REQUIRE(json("\xC3\xA4\"\\\n\x01\x7F\xC2\x9B\xE2\x80\xAE") ==
          "\"\xC3\xA4\\\"\\\\\\n\\u0001\\u007f\\u009b\\u202e\"");
}

TEST_CASE("a URL names what a client can reach") {
  REQUIRE(url_of("http", "127.0.0.1", 80) == "http://127.0.0.1:80");
  REQUIRE(url_of("http", "0.0.0.0", 80) == "http://127.0.0.1:80");
  REQUIRE(url_of("http", "::", 80) == "http://[::1]:80");
  REQUIRE(url_of("tcp", "fe80::1", 80) == "tcp://[fe80::1]:80");
  REQUIRE(url_of("http", "localhost", 80) == "http://localhost:80");
  REQUIRE(url_of("http", "0:0::0", 80) == "http://[::1]:80");
  REQUIRE(url_of("http", "fe80::1%eth0:1", 80) == "http://[fe80::1%25eth0%3A1]:80");
  REQUIRE(url_with_token("http://h:1", "a b&c=\xC3\xA4~") ==
          "http://h:1/?token=a%20b%26c%3D%C3%A4~");
}
