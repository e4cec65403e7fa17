// An echo server that is gone when nobody has been connected for 50 ms.
#include <array>

#include <berth/service/service.hpp>

namespace {

berth::task<> echo(berth::tcp_stream client) {
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto received = co_await client.read_some(buffer);
    if (!received || *received == 0) co_return;
    const auto sent = co_await client.write_all(std::span{buffer}.first(*received));
    if (!sent) co_return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  berth::service service("idle", "1.0.0");
  service.set_scheme("tcp");
  if (!std::getenv("IDLE_NEVER")) service.set_idle_shutdown(std::chrono::milliseconds(50));
  service.on_connection(echo);
  return service.run(argc, argv);
}
