// Sends back what it receives. Find it with: berth --app echo url
#include <array>

#include <berth/service/service.hpp>

berth::task<> echo(berth::tcp_stream client) {
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto received = co_await client.read_some(buffer);
    if (!received || *received == 0) co_return;
    const auto sent = co_await client.write_all(std::span{buffer}.first(*received));
    if (!sent) co_return;
  }
}

int main(int argc, char** argv) {
  berth::service service("echo", "1.0.0");
  service.set_scheme("tcp");
  service.on_connection(echo);
  return service.run(argc, argv);
}
