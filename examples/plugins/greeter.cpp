// A plugin in C++: listens on a port of its own, publishes it as the endpoint "greeter", and greets
// each client.
//   pm-server --plugin libgreeter.so=greeting=hello
#include <berth/io/tcp.hpp>
#include <berth/plugin/plugin.hpp>

namespace {

using namespace berth;

task<> greet(tcp_stream client, std::string greeting) {
  const auto sent = co_await client.write_all(greeting);
  if (!sent) co_return;
  (void)co_await client.shutdown();
}

task<> greet_all(scope& greetings, tcp_listener& listener, std::string greeting) {
  for (;;) {
    auto client = co_await listener.accept();
    if (!client) co_return;
    greetings.spawn(greet(std::move(*client), greeting));
  }
}

task<> publish(plugin_event event, tcp_listener& listener) {
  const endpoint& at = listener.bound();
  if (!event.set_endpoint("greeter", at.host, at.port, "tcp"))
    throw std::runtime_error("the endpoint could not be published");
  co_return;
}

class greeter final : public plugin {
  void start() override {
    const std::string greeting = setting("greeting");
    listener_.emplace(loop(), endpoint("127.0.0.1", 0));
    on("publishing", [this](plugin_event event) { return publish(event, *listener_); });
    background().spawn(
        greet_all(background(), *listener_, greeting.empty() ? "hello\n" : greeting + "\n"));
  }
  task<> stop() override {
    listener_.reset();
    co_return;
  }

  std::optional<tcp_listener> listener_;
};

}  // namespace

BERTH_DEFINE_PLUGIN(greeter, "greeter", "1.0.0")
