// A service at its limits: many connections at every stage when it is stopped, and several threads
// behind one port.
#include <atomic>
#include <berth/client/async.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/semaphore.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>
#include <berth/service/service.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "support/catch.hpp"
#include "support/process.hpp"

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

task<> echo(tcp_stream client) {
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto received = co_await client.read_some(buffer);
    if (!received || *received == 0) co_return;
    const auto sent = co_await client.write_all(std::span{buffer}.first(*received));
    if (!sent) co_return;
  }
}

service::overrides in_directory(const fs::path& directory) {
  service::overrides given;
  given.config_dir = directory;
  given.catch_signals = false;
  return given;
}

task<tcp_stream> connect_to(endpoint at) {
  auto connected = co_await tcp_connect(at, deadline::after(20s));
  co_return std::move(connected).value("connect");
}

/// Says "ping" and gives what comes back.
task<std::string> ping(tcp_stream& client) {
  const auto sent = co_await client.write_all("ping");
  if (!sent) co_return "not sent: " + sent.error().message();
  std::string back;
  std::array<std::byte, 16> buffer;
  while (back.size() < 4) {
    const auto size = co_await client.read_some(buffer, deadline::after(20s));
    if (!size || *size == 0) break;
    back.append(reinterpret_cast<const char*>(buffer.data()), *size);
  }
  co_return back;
}

}  // namespace

TEST_CASE("a service that is stopped amid a thousand connections leaves nothing, in time") {
  const test::temporary_directory directory;
  service serving("busy", "1");
  serving.on_connection(echo);
  drain_times times;
  times.quiet = 10ms;
  times.soft = 300ms;
  serving.set_drain_times(times);
  event_loop loop;
  const auto body = [](service& served, fs::path at) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    tasks.spawn(served.serve(in_directory(at)));
    const auto found = co_await async::wait_live(location("busy", at));
    const endpoint to("127.0.0.1", found->port);
    std::vector<tcp_stream> clients;
    std::vector<std::byte> flood(1 << 20);
    for (int i = 0; i < 1000; ++i) {
      clients.push_back(co_await connect_to(to));
      tcp_stream& client = clients.back();
      switch (i % 5) {
        case 0: break;  // connected, nothing said
        case 1: {       // one exchange done
          const auto back = co_await ping(client);
          REQUIRE(back == "ping");
          break;
        }
        case 2: {  // half closed
          const auto ended = co_await client.shutdown();
          REQUIRE(ended);
          break;
        }
        case 3:  // reads nothing of what comes back, so that the service waits to write
          if (i % 100 == 3) {
            const auto stuck = co_await client.write_all(flood, deadline::after(5ms));
            (void)stuck;
          }
          break;
        default: clients.pop_back();  // gone again
      }
    }
    const auto begun = here.loop->now();
    served.stop();
    co_await tasks.join();
    const auto took = here.loop->now() - begun;
    INFO("took " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms");
    REQUIRE(took < 300ms + 5s);  // the soft deadline; and what a slow machine takes to cancel
    REQUIRE(here.loop->live_tasks().empty());
  };
  loop.run(body(serving, directory.path()));
  REQUIRE(loop.open_handles().empty());
  REQUIRE(test::files_in(directory.path()) == 1);
}

TEST_CASE("a service may have as many open files as connections, if the system lets it") {
  const test::temporary_directory directory;
  test::write_text(directory.path() / "config.toml", "[server]\nmax_connections = 300\n");
  // 300 connections and what else a process has open, where 128 files are what it begins with.
  const test::ended counted =
      test::run({"sh", "-c",
                 "ulimit -S -n 128; exec " PM_SERVER " --config-dir " + directory.path().string() +
                     " & "
                     "while ! [ -e " +
                     (directory.path() / "server.json").string() +
                     " ]; do sleep 0.01; done; "
                     "awk '/Max open files/ { print $4 }' /proc/$!/limits; kill $!; wait $!"});
  REQUIRE(counted.status == 0);
  REQUIRE(std::stoi(counted.out) >= 300);
}

#ifdef __linux__
TEST_CASE("several threads serve one port, each some of the connections, and drain together") {
  const test::temporary_directory directory;
  struct {
    std::mutex mutex;
    std::set<std::thread::id> threads;
  } seen;
  service serving("wide", "1");
  serving.threads(3);
  serving.on_connection([&seen](tcp_stream client) {
    const std::scoped_lock lock(seen.mutex);
    seen.threads.insert(std::this_thread::get_id());
    return echo(std::move(client));
  });
  drain_times times;
  times.quiet = 10ms;
  times.soft = 100ms;
  serving.set_drain_times(times);
  const auto body = [](service& served, fs::path at) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    tasks.spawn(served.serve(in_directory(at)));
    const auto found = co_await async::wait_live(location("wide", at));
    const endpoint to("127.0.0.1", found->port);
    std::vector<tcp_stream> clients;
    for (int i = 0; i < 200; ++i) {
      clients.push_back(co_await connect_to(to));
      const auto back = co_await ping(clients.back());
      REQUIRE(back == "ping");
    }
    served.stop();
    co_await tasks.join();
    for (auto& each : clients) {
      std::array<std::byte, 16> buffer;
      const auto end = co_await each.read_some(buffer, deadline::after(10s));
      REQUIRE((!end || *end == 0));
      REQUIRE_FALSE(end.timed_out());
    }
  };
  for (int round = 0; round < 2; ++round) {
    seen.threads.clear();
    run(body(serving, directory.path()));
    REQUIRE(seen.threads.size() == 3);
  }
  REQUIRE(test::files_in(directory.path()) == 1);
}

TEST_CASE(
    "a second service with threads is refused the port of the first, though both would share") {
  const test::temporary_directory directory, elsewhere;
  service first("one", "1"), second("two", "1");
  for (service* each : {&first, &second}) {
    each->threads(2);
    each->on_connection(echo);
    drain_times times;
    times.quiet = 1ms;
    each->set_drain_times(times);
  }
  const auto body = [](service& one, service& other, fs::path at, fs::path there) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    tasks.spawn(one.serve(in_directory(at)));
    const auto found = co_await async::wait_live(location("one", at));
    auto same_port = in_directory(there);
    same_port.port = found->port;
    std::string refused;
    try {
      co_await other.serve(std::move(same_port));
    } catch (const error& taken) {
      refused = taken.what();
    }
    REQUIRE_THAT(refused, Catch::Contains("cannot listen on 127.0.0.1"));
    one.stop();
    co_await tasks.join();
  };
  run(body(first, second, directory.path(), elsewhere.path()));
}

TEST_CASE("idle shutdown counts the connections of all threads") {
  const test::temporary_directory directory;
  service serving("idle", "1");
  serving.threads(3);
  serving.on_connection(echo);
  drain_times times;
  times.quiet = 1ms;
  serving.set_drain_times(times);
  test::write_text(directory.path() / "config.toml", "[server]\nidle_shutdown_secs = 1\n");
  const auto body = [](service& served, fs::path at) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    tasks.spawn(served.serve(in_directory(at)));
    const auto found = co_await async::wait_live(location("idle", at));
    const endpoint to("127.0.0.1", found->port);
    std::vector<tcp_stream> clients;
    for (int i = 0; i < 12; ++i) clients.push_back(co_await connect_to(to));
    (void)co_await sleep_for(1500ms);  // longer than an idle service lives
    const auto back = co_await ping(clients.front());
    REQUIRE(back == "ping");
    clients.clear();
    co_await tasks.join();  // ends by itself
  };
  run(body(serving, directory.path()));
}
#endif
