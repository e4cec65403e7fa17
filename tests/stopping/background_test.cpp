// When background work starts and ends.
#include <chrono>
#include <stdexcept>
#include <string>

#include <berth/coro/shield.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/io/event_loop.hpp>

#include "stopping/used_service.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace stopping_test;
using namespace std::chrono_literals;

TEST_CASE(
    "background work starts when the service is ready and ends, with the reason, as it drains") {
  used_service used;
  std::string order;
  used.served.hooks().ready.add("note", [&]() -> task<> {
    order += "ready ";
    co_return;
  });
  used.served.background([&]() -> task<> {
    order += "started ";
    used.served.stop(stop_reason::deadline);
    const auto slept = co_await sleep_for(1h);
    order += slept.reason() == stop_reason::deadline ? "cancelled " : "not cancelled ";
    (void)co_await shield(sleep_for(20ms));
    order += "ended ";
  });
  for (int runs = 0; runs < 2; ++runs) {
    order.clear();
    run(used.serve());
    REQUIRE(order == "ready started cancelled ended ");
  }
}

TEST_CASE("an exception from background work ends the service with its reason") {
  used_service used;
  used.served.background([]() -> task<> {
    (void)co_await sleep_for(1ms);
    throw std::runtime_error("the queue is lost");
  });
  REQUIRE_THROWS_WITH(run(used.serve()), "the queue is lost");
  REQUIRE_FALSE(used.published());

  used_service other;
  other.served.background([]() -> task<> { throw std::runtime_error("no task at all"); });
  REQUIRE_THROWS_WITH(run(other.serve()), "no task at all");
}

TEST_CASE("background work that returns leaves the service running") {
  used_service used;
  bool ended = false;
  used.served.background([&]() -> task<> {
    ended = true;
    co_return;
  });
  used.served.background([&]() -> task<> {
    (void)co_await sleep_for(5ms);
    used.served.stop();
  });
  run(used.serve());
  REQUIRE(ended);
}

TEST_CASE("background work does not start in a service that was told to stop before it was ready") {
  used_service used;
  bool started = false;
  ready(used.served).add("stop", [&]() -> task<> {
    used.served.stop();
    (void)co_await sleep_for(1ms);
  });
  used.served.background([&]() -> task<> {
    started = true;
    co_return;
  });
  run(used.serve());
  REQUIRE_FALSE(started);
}
