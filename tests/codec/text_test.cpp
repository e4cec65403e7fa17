// Text from outside is safe to print.
#include <string>
#include <string_view>
#include <system_error>

#include <berth/base/error.hpp>
#include <berth/base/printable.hpp>
#include <berth/base/redact.hpp>
#include <berth/record/json_object.hpp>

#include <fmt/format.h>

#include "support/catch.hpp"

using namespace berth;

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
