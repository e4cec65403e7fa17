// Says hello to each client. It is published in .hello, where hello-client finds it.
#include <span>
#include <string_view>

#include <berth/service/service.hpp>

berth::task<> greet(berth::tcp_stream client) {
  constexpr std::string_view greeting = "hello\n";
  const auto sent = co_await client.write_all(std::as_bytes(std::span(greeting)));
  (void)sent;
}

int main(int argc, char** argv) {
  berth::service service("hello", "1.0.0");
  service.set_scheme("tcp");
  service.on_connection(greet);
  return service.run(argc, argv);
}
