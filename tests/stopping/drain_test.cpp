// What a stopping service does with its handlers and clients.
#include <signal.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include <berth/client/async.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/shield.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>
#include <berth/store/location.hpp>

#include "stopping/used_service.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace stopping_test;
using namespace std::chrono_literals;

namespace {

/// Keeps its connection for a while, whoever asks it to end.
task<> stubborn(tcp_stream client) {
  (void)co_await shield(sleep_for(600ms));
  client.close();
}

}  // namespace

TEST_CASE("a service that is embedded leaves its process as it was, and waits for its handlers") {
  rlimit before{}, during{};
  struct sigaction handler{}, handler_before{};
  used_service used(stubborn);
  auto times = quick();
  times.soft = times.hard = 1ms;
  used.served.set_drain_times(times);
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit low{64, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &low);
  ::sigaction(SIGTERM, nullptr, &handler_before);
  const auto body = [](used_service& serving, rlimit& limit, struct sigaction& on_term) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    tasks.spawn(serving.serve());
    const endpoint at = co_await address_of(serving.where);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    ::sigaction(SIGTERM, nullptr, &on_term);
    auto client = co_await connect_to(at);
    std::array<std::byte, 1> nothing;
    const auto accepted = co_await client.read_some(nothing, deadline::after(100ms));
    REQUIRE(accepted.timed_out());
    serving.served.stop();
    co_await tasks.join();
  };
  run(body(used, during, handler));
  ::setrlimit(RLIMIT_NOFILE, &before);
  REQUIRE(during.rlim_cur == 64);
  REQUIRE(handler.sa_handler == handler_before.sa_handler);
}

TEST_CASE("a halted process that changes the directory costs a service that stops no request") {
  used_service used;
  const auto body = [](used_service& serving) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    tasks.spawn(serving.serve());
    const endpoint at = co_await address_of(serving.where);
    lock_file halted(serving.where.lock_file());
    halted.lock_mutation();
    event draining;
    serving.served.hooks().draining.add("tell", [&draining](stop_reason) -> task<> {
      draining.set();
      co_return;
    });
    serving.served.stop();
    const auto told = co_await draining.wait(deadline::after(20s));
    REQUIRE(told);
    (void)co_await sleep_for(300ms);  // longer than the service listens once it has unpublished
    auto client = co_await connect_to(at);
    const auto back = co_await exchange(client, "ping");
    REQUIRE(back == "ping");
    client.close();
    const auto stopping = here.loop->now();
    co_await tasks.join();
    REQUIRE(here.loop->now() - stopping < 9s);
  };
  run(body(used));
  REQUIRE_FALSE(read_live(used.where));
}

TEST_CASE(
    "a client that is merely connected does not hold up a stop, but one that asked is answered") {
  used_service used;
  const auto body = [](used_service& serving) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    tasks.spawn(serving.serve());
    const endpoint at = co_await address_of(serving.where);
    auto silent = co_await connect_to(at);
    auto answered = co_await connect_to(at);
    auto asking = co_await connect_to(at);
    const auto back = co_await exchange(answered, "ping");
    REQUIRE(back == "ping");
    const auto sent = co_await asking.write_all("slow");
    REQUIRE(sent);
    std::array<std::byte, 8> buffer;
    const auto early = co_await asking.read_some(buffer, deadline::after(100ms));
    REQUIRE(early.timed_out());
    serving.served.stop();
    const auto late = co_await asking.read_some(buffer, deadline::after(20s));
    REQUIRE(late);
    REQUIRE(*late == 4);
    const auto stopping = here.loop->now();
    co_await tasks.join();
    REQUIRE(here.loop->now() - stopping < 8s);  // the soft deadline is at 10 s
  };
  for (const std::size_t threads : {1u, 2u}) {
    used.served.threads(threads);
    run(body(used));
  }
}

TEST_CASE(
    "two signals at once are one request to stop, and a later one cancels what is in flight") {
  test::temporary_directory directory;
  test::process server({PM_SERVER}, directory.path());
  const location where("pm", directory.path() / ".pm");
  const auto ask = [](test::process& serving, location at, bool twice) -> task<std::string> {
    const endpoint to = co_await address_of(at);
    auto client = co_await connect_to(to);
    const auto begun = co_await client.write_all("GET /health HT");
    REQUIRE(begun);
    auto other = co_await connect_to(to);  // answered after the first was accepted
    const auto answer = co_await exchange(
        other, "GET /health HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n");
    REQUIRE_THAT(answer, Catch::Contains("200 OK"));
    serving.signal(SIGTERM);
    std::this_thread::sleep_for(2ms);  // so that the kernel does not make one of them
    serving.signal(SIGTERM);
    const auto gone = co_await async::wait_gone(at, deadline::after(20s));
    REQUIRE(gone);
    (void)co_await sleep_for(2 * one_stop_signal);
    if (twice) serving.signal(SIGTERM);
    (void)co_await sleep_for(one_stop_signal);
    const auto end =
        co_await exchange(client, "TP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n");
    co_return end;
  };
  const bool twice = GENERATE(false, true);
  const auto answer = run(ask(server, where, twice));
  if (!twice) REQUIRE_THAT(answer, Catch::Contains("200 OK"));
  if (twice) REQUIRE_THAT(answer, !Catch::Contains("200 OK"));
  REQUIRE(server.wait().status == 0);
}

TEST_CASE("a service with few descriptors leaves clients in the backlog, and serves them all") {
  test::temporary_directory directory;
  // UBSan's check of virtual tables opens a pipe, and takes it for a fault if it cannot.
  test::process server(
      {"sh", "-c", "ulimit -n 64; UBSAN_OPTIONS=halt_on_error=0 exec " ECHO_SERVER},
      directory.path());
  const location where("echo", directory.path() / ".echo");
  const auto body = [](location at) -> task<> {
    const endpoint to = co_await address_of(at);
    std::vector<tcp_stream> clients;
    for (int i = 0; i < 200; ++i) {
      clients.push_back(co_await connect_to(to));
      const auto sent = co_await clients.back().write_all("ping");
      REQUIRE(sent);
    }
    std::array<std::byte, 8> buffer;
    for (auto& each : clients) {
      const auto size = co_await each.read_some(buffer, deadline::after(20s));
      REQUIRE(size);
      REQUIRE(*size == 4);
      each.close();
    }
  };
  run(body(where));
  REQUIRE_THAT(server.err(), Catch::Contains("too few of its 64 descriptors"));
  server.signal(SIGTERM);
  REQUIRE(server.wait().status == 0);
}
