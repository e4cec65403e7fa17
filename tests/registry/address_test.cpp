// Registry URLs, their passwords, and base64.
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <berth/io/event_loop.hpp>
#include <berth/plugins/base64.hpp>
#include <berth/plugins/etcd_registry.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
namespace fs = std::filesystem;

TEST_CASE("registries are made by the scheme of their URL, and one's own can be added") {
  registry_factories factories;
  event_loop loop;
  REQUIRE(factories.open(loop, "file")->reason() == "its port file says so");
  REQUIRE_THROWS_WITH(factories.open(loop, "etcd://a:1"),
                      "\"etcd://a:1\" is not a registry: this program knows file");
  add_etcd(factories);
  REQUIRE(factories.open(loop, "etcd://a:1")->reason() == "its lease in etcd is kept alive");
  REQUIRE_THROWS_AS(factories.open(loop, "etcds://"), invalid_value);
  factories.add("mine", [](event_loop&, const std::string& url) -> std::unique_ptr<registry> {
    throw invalid_value("asked for " + url);
  });
  REQUIRE_THROWS_WITH(factories.open(loop, "mine:1"), "asked for mine:1");
}

TEST_CASE("the address of a registry") {
  const etcd_location plain("etcd://a:1");
  REQUIRE(plain.options.endpoints == std::vector<std::string>{"http://a:1"});
  REQUIRE(plain.prefix == "/berth");
  REQUIRE(plain.options.user.empty());
  const etcd_location full("etcds://me:p@ss:word@a:1,b:2/x/y/");
  REQUIRE(full.options.endpoints == std::vector<std::string>{"https://a:1", "https://b:2"});
  REQUIRE(full.prefix == "/x/y");
  REQUIRE(full.options.user == "me");
  REQUIRE(full.options.password == "p@ss:word");
  const etcd_location secure("etcds://a:1/x?ca=/c.pem&certificate=/d.pem&key=/k.pem");
  REQUIRE(secure.prefix == "/x");
  REQUIRE(secure.options.http.ca == "/c.pem");
  REQUIRE(secure.options.http.certificate == "/d.pem");
  REQUIRE(secure.options.http.key == "/k.pem");
  for (const std::string bad : {"etcds://a:1?x=y", "etcds://a:1?ca", "", "a:1", "http://a:1",
                                "etcd://", "etcd:///x", "etcd://,"})
    REQUIRE_THROWS_AS(etcd_location(bad), invalid_value);
}

TEST_CASE("the password of a registry stands in a file that only its owner may read") {
  test::temporary_directory directory;
  const auto file = directory.path() / "password";
  test::write_text(file, "hunter2\n");
  fs::permissions(file, fs::perms(0600));
  const std::string url = "etcd://root@a:1?password_file=" + file.string();
  const etcd_location read(url);
  REQUIRE(read.options.user == "root");
  REQUIRE(read.options.password == "hunter2");
  REQUIRE_THROWS_AS(etcd_location("etcd://root:other@a:1?password_file=" + file.string()),
                    invalid_value);
  fs::permissions(file, fs::perms(0640));
  REQUIRE_THROWS_WITH(etcd_location(url), Catch::Contains("chmod 600 " + file.string()));
  fs::permissions(file, fs::perms(0600));
  test::write_text(file, "\n");
  REQUIRE_THROWS_WITH(etcd_location(url), Catch::Contains("is empty"));
  fs::remove(file);
  REQUIRE_THROWS_WITH(etcd_location(url), Catch::Contains(file.string()));
}

TEST_CASE("no message about a registry's address repeats a password") {
  for (const std::string bad :
       {"etcd://me:hunter2@", "http://me:hunter2@a:1", "me:hunter2@a:1", "etcd://a:1?pw=hunter2",
        "etcd://me:a/hunter2@a:1?ca", "etcd://me:b@hunter2@"}) {
    INFO(bad);
    REQUIRE_THROWS_WITH(etcd_location(bad), !Catch::Contains("hunter2"));
  }
}

TEST_CASE("base64 carries any bytes, and refuses what is none") {
  // RFC 4648, 10.
  const std::pair<std::string, std::string> known[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : known) {
    REQUIRE(to_base64(bytes) == text);
    REQUIRE(from_base64(text) == bytes);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  REQUIRE(from_base64(to_base64(all)) == all);
  for (const std::string bad : {"Z", "Zg", "Zg=", "Z===", "====", "Zm9*", "Zm=v"})
    REQUIRE_FALSE(from_base64(bad));
}
