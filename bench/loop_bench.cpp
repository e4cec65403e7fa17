#include "loop_bench.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <thread>

#include <berth/client/async.hpp>
#include <berth/client/resolver.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/io/tcp.hpp>
#include <berth/liveness/this_process.hpp>

#include <fmt/format.h>

namespace bench {
namespace {

using namespace berth;
using namespace std::chrono_literals;

constexpr auto repetition = 300ms;

enum class burden { nothing, resolving, publishing };
constexpr std::pair<burden, const char*> burdens[] = {
    {burden::nothing, "nothing beside"},
    {burden::resolving, "1,000 look-ups a second"},
    {burden::publishing, "1,000 publishes a second"},
};

task<> resolve_often(location where) {
  for (;;) {
    const auto woken = co_await sleep_for(1ms);
    if (!woken) co_return;
    const auto found = co_await async::read_live(where);
    if (!found) co_return;
  }
}

task<> publish_often(location where) {
  const record server = describe_this_process("127.0.0.1", 8080, "1.0.0");
  auto owned = co_await async::publish(where, server);
  must(owned.has_value());
  for (;;) {
    const auto woken = co_await sleep_for(1ms);
    if (!woken) break;
    const auto published = co_await async::publish(*owned, server);
    if (!published) break;
  }
  owned->remove();
}

void add_burden(scope& tasks, burden which, const location& live, const location& own) {
  if (which == burden::resolving) tasks.spawn(resolve_often(live));
  if (which == burden::publishing) tasks.spawn(publish_often(own));
}

/// Measures how long each turn of the loop takes, with everything that runs in it.
class turns {
 public:
  turns(event_loop& loop, samples& taken) : loop_(loop), taken_(taken) { next(); }
  void stop() { stopped_ = true; }
  bool ended() const { return ended_; }

 private:
  void next() {
    loop_.submit([this] {
      const auto now = nanoseconds_now();
      if (last_ != 0) taken_.add(static_cast<double>(now - last_) / 1000);
      last_ = now;
      if (stopped_)
        ended_ = true;
      else
        next();
    });
  }

  event_loop& loop_;
  samples& taken_;
  std::int64_t last_ = 0;
  bool stopped_ = false, ended_ = false;
};

task<> watch_turns(event_loop& loop, samples& taken, burden which, location live, location own) {
  scope tasks(loop.context());
  add_burden(tasks, which, live, own);
  turns all(loop, taken);
  const auto passed = co_await sleep_for(repetition);
  must(passed.has_value());
  all.stop();
  for (;;) {
    if (all.ended()) break;
    const auto turned = co_await sleep_for(1ms);
    must(turned.has_value());
  }
  tasks.cancel();
  co_await tasks.join();
}

/// Sends a message and waits for it to come back, over and over.
void ask(std::uint16_t port, samples& taken) {
  pin_to(1);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  must(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  std::array<char, 64> message{};
  const auto end = nanoseconds_now() + std::chrono::nanoseconds(repetition).count();
  while (nanoseconds_now() < end)
    taken.time([&] {
      must(::send(socket, message.data(), message.size(), 0) == 64 &&
           ::recv(socket, message.data(), message.size(), MSG_WAITALL) == 64);
    });
  ::close(socket);
}

task<> answer(tcp_listener& listener) {
  auto client = co_await listener.accept();
  must(client.has_value());
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto received = co_await client->read_some(buffer);
    if (!received || *received == 0) co_return;
    const auto sent = co_await client->write_all(std::span{buffer}.first(*received));
    if (!sent) co_return;
  }
}

task<> serve(event_loop& loop, samples& taken, burden which, location live, location own) {
  tcp_listener listener(loop, {"127.0.0.1", 0});
  const std::jthread client([&] { ask(listener.bound().port, taken); });
  scope tasks(loop.context());
  add_burden(tasks, which, live, own);
  co_await answer(listener);
  tasks.cancel();
  co_await tasks.join();
}

/// One repetition is one run of the task that `measure` makes.
template <typename Measure>
void add_run(const std::string& name, event_loop& loop, Measure measure) {
  add_timed(name, 1, [=, &loop](samples& taken) { loop.run(measure(taken)); });
}

task<> wait_for_first(resolver& servers) {
  const auto seen = co_await servers.live(deadline::after(std::chrono::seconds(5)));
  must(seen.has_value());
}

task<> close(resolver& servers) { co_await servers.close(); }

}  // namespace

void add_loaded_loop(event_loop& loop, const location& live, const location& own) {
  for (const auto& [which, name] : burdens) {
    add_run(fmt::format("loop/turn, {}", name), loop,
            [=, &loop](samples& taken) { return watch_turns(loop, taken, which, live, own); });
    add_run(fmt::format("loop/answer to a client, {}", name), loop,
            [=, &loop](samples& taken) { return serve(loop, taken, which, live, own); });
  }
}

void add_lookup_from_memory(event_loop& loop, const location& live) {
  const auto body = [&live, &loop](benchmark::State& state) {
    resolver servers(loop.context(), live);
    loop.run(wait_for_first(servers));
    samples taken;
    constexpr int calls = 1000;
    std::size_t seen = 0;
    for (auto _ : state) {
      const auto begun = nanoseconds_now();
      for (int call = 0; call < calls; ++call) {
        seen += servers.current().has_value();
        benchmark::ClobberMemory();
      }
      taken.add(static_cast<double>(nanoseconds_now() - begun) / 1000 / calls);
    }
    must(seen > 0);
    taken.report(state);
    loop.run(close(servers));
  };
  benchmark::RegisterBenchmark("lookup/resolver.current()", body)->Iterations(400);
}

}  // namespace bench
