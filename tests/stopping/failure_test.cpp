// What happens to a service when a handler, a part or a thread fails.
#include <pthread.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <berth/coro/scope.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>

#include "stopping/used_service.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace stopping_test;
namespace fs = std::filesystem;

TEST_CASE("whatever a handler throws ends its connection and no other") {
  const auto body = [](used_service& used) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    tasks.spawn(used.serve());
    const endpoint at = co_await address_of(used.where);
    std::vector<tcp_stream> good;
    for (int i = 0; i < 8; ++i) {
      good.push_back(co_await connect_to(at));
      const auto back = co_await exchange(good.back(), "ping");
      REQUIRE(back == "ping");
    }
    for (const char* const thrown : {"i", "f", "m"}) {
      for (int i = 0; i < 4; ++i) {
        auto bad = co_await connect_to(at);
        const auto ended = co_await exchange(bad, thrown);
        REQUIRE(ended == "closed");
      }
    }
    for (auto& each : good) {
      const auto back = co_await exchange(each, "ping");
      REQUIRE(back == "ping");
    }
    used.served.stop();
    co_await tasks.join();
  };
  for (const std::size_t threads : {1u, 3u}) {
    used_service used;
    used.served.threads(threads);
    run(body(used));
  }
}

TEST_CASE("what a part of the service throws ends it with that reason, threads and all") {
  used_service used;
  used.served.threads(3);
  used.served.hooks().publishing.add("refuse", [](record&) -> task<> {
    throw fs::filesystem_error("no place", std::error_code());
    co_return;
  });
  REQUIRE_THROWS_WITH(run(used.serve()), Catch::Contains("no place"));
  REQUIRE_FALSE(used.published());
}

#if defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("a service whose threads cannot start ends with the reason, and publishes nothing") {
  used_service used;
  used.served.threads(3);
  // No address space has room for such a stack.
  pthread_attr_t before, huge;
  pthread_getattr_default_np(&before);
  pthread_attr_init(&huge);
  pthread_attr_setstacksize(&huge, std::size_t{1} << 47);
  REQUIRE(pthread_setattr_default_np(&huge) == 0);
  std::string why;
  try {
    run(used.serve());
  } catch (const error& refused) {
    why = refused.what();
  }
  pthread_setattr_default_np(&before);
  REQUIRE_THAT(why, Catch::StartsWith("cannot start a thread: "));
  REQUIRE_FALSE(used.published());
}
#endif
