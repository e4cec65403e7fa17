// How a service ends: whoever asks it to, whatever its handlers throw, and whatever is missing.
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <array>
#include <berth/client/async.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/shield.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>
#include <berth/service/service.hpp>
#include <filesystem>
#include <memory>
#include <new>
#include <thread>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// Sends back what it receives. 'i', 'f' and 'm' make it throw; 's' is answered half a second
/// later.
task<> echo(tcp_stream client) {
  std::array<std::byte, 64> buffer;
  for (;;) {
    const auto size = co_await client.read_some(buffer);
    if (!size || *size == 0) co_return;
    const char first = static_cast<char>(buffer[0]);
    if (first == 'i') throw 42;
    if (first == 'f') throw fs::filesystem_error("gone", std::error_code());
    if (first == 'm') throw std::bad_alloc();
    const auto thinking = first == 's' ? 500ms : 0ms;
    (void)co_await sleep_for(thinking);
    const auto sent = co_await client.write_all(std::span{buffer}.first(*size));
    if (!sent) co_return;
  }
}

/// Keeps its connection for a while, whoever asks it to end.
task<> stubborn(tcp_stream client) {
  (void)co_await shield(sleep_for(600ms));
  client.close();
}

service::overrides in_directory(const fs::path& directory) {
  service::overrides given;
  given.config_dir = directory;
  return given;
}

drain_times quick() {
  drain_times times;
  times.quiet = 1ms;
  times.idle = 10ms;
  return times;
}

/// A service in a fresh directory.
struct used_service {
  explicit used_service(connection_handler handler = echo) {
    served.on_connection(std::move(handler));
    served.set_drain_times(quick());
  }
  task<> serve() { return served.serve(in_directory(directory.path())); }
  bool published() const { return fs::exists(where.port_file()); }

  test::temporary_directory directory;
  location where{"used", directory.path()};
  service served{"used", "1"};
};

task<endpoint> address_of(location where) {
  const auto found = co_await async::wait_live(std::move(where), deadline::after(20s));
  REQUIRE(found);
  co_return endpoint("127.0.0.1", found->port);
}

/// Sends `text` and gives what comes back at once, or "closed".
task<std::string> exchange(tcp_stream& client, std::string text) {
  const auto sent = co_await client.write_all(text);
  if (!sent) co_return "not sent: " + sent.error().message();
  std::array<std::byte, 64> buffer;
  const auto size = co_await client.read_some(buffer, deadline::after(20s));
  if (!size || *size == 0) co_return "closed";
  co_return std::string(reinterpret_cast<const char*>(buffer.data()), *size);
}

task<tcp_stream> connect_to(endpoint at) {
  auto connected = co_await tcp_connect(at, deadline::after(20s));
  co_return std::move(connected).value("connect");
}

/// Where a service is told to stop by which of its hooks.
hook_point<>& ready(service& of) { return of.hooks().ready; }

}  // namespace

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
