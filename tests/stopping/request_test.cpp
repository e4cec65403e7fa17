// Requests to stop a service at any moment of its life.
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include <berth/coro/sleep.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>

#include "stopping/used_service.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace berth;
using namespace stopping_test;
using namespace std::chrono_literals;

TEST_CASE(
    "a service that is told to stop before it serves does not publish, but serves next time") {
  used_service used;
  used.served.stop();
  run(used.serve());
  REQUIRE_FALSE(used.published());
  REQUIRE(test::files_in(used.directory.path()) == 0);
  bool served = false;
  ready(used.served).add("stop", [&]() -> task<> {
    served = true;
    used.served.stop();
    co_return;
  });
  run(used.serve());
  REQUIRE(served);
}

TEST_CASE("a service that is told to stop after it has served does not serve the next time") {
  used_service used;
  int served = 0;
  const auto hook = ready(used.served).add("stop", [&]() -> task<> {
    ++served;
    used.served.stop();
    co_return;
  });
  run(used.serve());
  ready(used.served).remove(hook);
  ready(used.served).add("count", [&]() -> task<> {
    ++served;
    co_return;
  });
  used.served.stop();
  run(used.serve());
  REQUIRE(served == 1);
}

TEST_CASE("a service that is told to stop while it starts does not publish") {
  used_service used;
  SECTION("before it binds") {
    used.served.hooks().configured.add("stop", [&](server_settings&, const location&) -> task<> {
      used.served.stop();
      (void)co_await sleep_for(1ms);
    });
  }
  SECTION("after it has bound, on several threads") {
    used.served.threads(3);
    used.served.hooks().bound.add("stop", [&](const endpoint&) -> task<> {
      used.served.stop();
      (void)co_await sleep_for(1ms);
    });
  }
  bool published = false;
  used.served.hooks().published.add("see", [&](const record&) -> task<> {
    published = true;
    co_return;
  });
  run(used.serve());
  REQUIRE_FALSE(published);
}

TEST_CASE("a service may be told to stop by any thread at any moment of its life") {
  used_service used;
  std::atomic<bool> over = false;
  std::thread asking([&] {
    while (!over) {
      used.served.stop();
      std::this_thread::sleep_for(200us);
    }
  });
  for (int round = 0; round < 100; ++round) {
    event_loop loop;  // each on a loop that is gone when the next request comes
    loop.run(used.serve());
  }
  over = true;
  asking.join();
  REQUIRE_FALSE(used.published());
}

TEST_CASE("a stop handle may be used by any thread while its service is destroyed, and after") {
  for (int round = 0; round < 50; ++round) {
    auto used = std::make_unique<used_service>();
    std::atomic<bool> over = false;
    std::thread asking([&over, stop = used->served.stopper()] {
      while (!over) stop.request();
    });
    run(used->serve());
    used.reset();
    over = true;
    asking.join();
  }
}
