// An echo server on Asio with coroutines. Prints its port.
#include <array>
#include <cstdio>

#include <asio.hpp>
#include <asio/experimental/as_tuple.hpp>

namespace {

using asio::ip::tcp;
constexpr auto as_tuple = asio::experimental::as_tuple(asio::use_awaitable);

asio::awaitable<void> echo(tcp::socket client) {
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const auto received = co_await client.async_read_some(asio::buffer(buffer), as_tuple);
    if (std::get<0>(received)) co_return;
    const auto echoed = asio::buffer(buffer, std::get<1>(received));
    const auto sent = co_await asio::async_write(client, echoed, as_tuple);
    if (std::get<0>(sent)) co_return;
  }
}

asio::awaitable<void> accept(tcp::acceptor& listener) {
  for (;;) {
    auto client = co_await listener.async_accept(asio::use_awaitable);
    client.set_option(tcp::no_delay(true));
    asio::co_spawn(listener.get_executor(), echo(std::move(client)), asio::detached);
  }
}

}  // namespace

int main() {
  asio::io_context loop(1);
  tcp::acceptor listener(loop, {asio::ip::make_address("127.0.0.1"), 0});
  std::printf("%d\n", listener.local_endpoint().port());
  std::fflush(stdout);
  asio::co_spawn(loop, accept(listener), asio::detached);
  loop.run();
}
