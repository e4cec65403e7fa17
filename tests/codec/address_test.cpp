// Valid hosts and schemes, and URLs made of them.
#include <string>
#include <string_view>

#include <berth/record/record.hpp>
#include <berth/record/record_check.hpp>

#include "support/catch.hpp"

using namespace berth;

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
