// How clients are spread over a registry's servers.
#include <chrono>
#include <string>

#include <berth/client/registry_resolver.hpp>

#include "registry/servers.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace registry_test;
using namespace std::chrono_literals;

namespace {

/// The servers whose turn it is, one after the other.
std::string turns(server_rotation& rotation, int count, steady_time now) {
  std::string ids;
  for (int i = 0; i < count; ++i) ids += rotation.next(now)->instance_id;
  return ids;
}

}  // namespace

TEST_CASE("servers take turns, and one that comes is asked next") {
  server_rotation rotation;
  const steady_time now{};
  REQUIRE_FALSE(rotation.next(now));
  rotation.update(servers({"a", "b", "c"}));
  REQUIRE(turns(rotation, 7, now) == "abcabca");
  rotation.update(servers({"a", "b", "c", "d"}));
  REQUIRE(turns(rotation, 5, now) == "dbcad");
  rotation.update(servers({"b", "d"}));
  REQUIRE(turns(rotation, 4, now) == "bdbd");
  rotation.update({});
  REQUIRE_FALSE(rotation.next(now));
}

TEST_CASE("a server that failed is asked last, and as the others after a while") {
  server_rotation rotation;
  const steady_time now{};
  rotation.update(servers({"a", "b", "c"}));
  rotation.failed(server("a"), now);
  rotation.failed(server("nobody"), now);
  REQUIRE(turns(rotation, 4, now) == "bcbc");
  rotation.failed(server("c"), now + 1s);
  rotation.failed(server("b"), now + 2s);
  // All have failed: the one that did so first has had most time to recover.
  REQUIRE(turns(rotation, 2, now + 3s) == "aa");
  rotation.failed(server("a"), now + 3s);
  REQUIRE(turns(rotation, 2, now + 4s) == "cc");
  rotation.update(servers({"a", "b", "c"}));
  REQUIRE(turns(rotation, 2, now + 4s) == "cc");
  const auto forgotten = now + 3s + server_rotation::forgotten_after;
  REQUIRE(turns(rotation, 6, forgotten) == "bacbac");
}
