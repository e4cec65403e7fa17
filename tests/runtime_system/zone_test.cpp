// The zone of an IPv6 address.
#include <array>
#include <chrono>
#include <cstddef>
#include <tuple>

#include <berth/coro/deadline.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/resolve.hpp>
#include <berth/io/tcp.hpp>
#include <berth/io/udp.hpp>

#include "runtime_system/namespaces.hpp"
#include "support/catch.hpp"

using namespace berth;
using namespace runtime_system_test;
using namespace std::chrono_literals;

#ifdef __linux__
TEST_CASE("with a zone on the loopback interface", "[.zone]") {
  const auto body = []() -> task<> {
    const auto here = co_await current_context();
    event_loop& loop = event_loop::of(here);
    const endpoint zoned("fe80::1%lo", 0);
    tcp_listener listener(loop, zoned);
    CHECK(listener.bound().host == "fe80::1%lo");
    auto both = co_await when_all(listener.accept(), tcp_connect(listener.bound()));
    REQUIRE(std::get<0>(both));
    REQUIRE(std::get<1>(both));
    CHECK(std::get<0>(both)->peer().host == "fe80::1%lo");
    CHECK(std::get<1>(both)->peer() == listener.bound());

    const auto resolved = co_await resolve(listener.bound());
    REQUIRE(resolved);
    CHECK(resolved->front() == listener.bound());

    const endpoint everywhere("::", 0);
    udp_socket asked(loop, everywhere), asking(loop, zoned);
    const endpoint to("fe80::1%lo", asked.bound().port);
    std::array<std::byte, 4> bytes{};
    const auto sent = co_await asking.send(to, bytes);
    REQUIRE(sent);
    const auto got = co_await asked.receive(bytes, deadline::after(20s));
    REQUIRE(got);
    CHECK(got->from == asking.bound());
  };
  run(body());
}

TEST_CASE("the zone of an IPv6 address stays with it wherever addresses come from") {
  run_in_namespaces("-rn", "ip link set lo up && ip -6 addr add fe80::1/64 dev lo nodad",
                    "[.zone]");
}
#endif
