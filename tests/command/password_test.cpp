// Where a password is refused, and that none is printed.
#include <string>
#include <vector>

#include "command/workspace.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace command_test;

TEST_CASE("a password is refused where the list of processes would show it") {
  workspace at;
  const auto refused = at.berth({"--registry", "etcd://root:hunter2@127.0.0.1:1", "url"});
  REQUIRE(refused.status == 2);
  REQUIRE_THAT(refused.err, Catch::Contains("PM_REGISTRY") &&
                                Catch::Contains("password_file=FILE") &&
                                !Catch::Contains("hunter2"));
  REQUIRE_THAT(at.berth({"url", "etcd://root:hunter2@h"}).err, !Catch::Contains("hunter2"));
  const std::string settings[] = {"password=hunter2", "endpoints=http://root:hunter2@h:1",
                                  "user=root,password=x,hunter2", "etcd_token=hunter2"};
  for (const auto& setting : settings) {
    const auto server = test::run({PM_SERVER, "--plugin", "/no/such.so=" + setting}, at.here);
    INFO(setting);
    REQUIRE(server.status == 2);
    REQUIRE_THAT(server.err, !Catch::Contains("hunter2"));
  }
  const auto file =
      test::run({PM_SERVER, "--plugin", "/no/such.so=password_file=/no/such/file"}, at.here);
  REQUIRE(file.status == 1);
}

TEST_CASE("a password in the environment or the configuration appears in no message") {
  workspace at;
  const auto all_of = [&](const std::string& registry) {
    for (const std::string command : {"url", "status", "list", "wait"}) {
      std::vector<std::string> words = {BERTH_COMMAND, command};
      if (command == "wait") words.insert(words.end(), {"--timeout", "0.1"});
      const auto failed =
          test::run(words, at.here, {{"HOME", "/nonexistent"}, {"PM_REGISTRY", registry}});
      INFO(registry << " " << command);
      REQUIRE(failed.status != 0);
      REQUIRE_THAT(failed.out + failed.err, !Catch::Contains("hunter2"));
    }
  };
  all_of("etcd://root:hunter2@127.0.0.1:1");
  all_of("etcd://root:a/hunter2@");
  all_of("nonsense://root:hunter2@127.0.0.1:1");
  all_of("root:hunter2@127.0.0.1:1");
  all_of("etcd://127.0.0.1:1?password=hunter2");
}

TEST_CASE("pm-cli speaks http and https only") {
  workspace at;
  test::write_text(at.here / "secret", "hunter2");
  for (const std::string& url :
       {"file://" + at.here.string() + "/secret#", std::string("gopher://x"),
        std::string("ftp.example"), std::string("file:/etc/passwd")}) {
    const auto refused = test::run({PM_CLI, "--server", url, "project", "list"}, at.here);
    INFO(url);
    REQUIRE(refused.status == 1);
    REQUIRE(refused.out.empty());
    if (url.find("://") != std::string::npos)
      REQUIRE_THAT(refused.err, Catch::Contains("only http and https are spoken here"));
  }
}
