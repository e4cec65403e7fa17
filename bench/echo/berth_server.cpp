// An echo server on berth. Prints its port.
#include <array>
#include <cstdio>

#include <berth/coro/scope.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>

namespace {

using namespace berth;

task<> echo(tcp_stream client) {
  std::array<std::byte, 64 * 1024> buffer;
  for (;;) {
    const auto received = co_await client.read_some(buffer);
    if (!received || *received == 0) co_return;
    const auto sent = co_await client.write_all(std::span{buffer}.first(*received));
    if (!sent) co_return;
  }
}

task<> serve() {
  const auto here = co_await current_context();
  const endpoint any_port("127.0.0.1", 0);
  tcp_listener listener(event_loop::of(here), any_port);
  std::printf("%d\n", listener.bound().port);
  std::fflush(stdout);
  scope clients(here);
  for (;;) {
    auto client = co_await listener.accept();
    if (!client) break;
    clients.spawn(echo(std::move(*client)));
  }
  co_await clients.join();
}

}  // namespace

int main() { run(serve()); }
