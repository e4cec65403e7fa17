// A service with settings of its own and work in the background: sends a greeting and the number of
// its heartbeats so far. Try: hello-server --greeting hey --pause 100ms, and: berth --app hello url
#include <chrono>
#include <string>
#include <utility>

#include <berth/berth.hpp>

using namespace std::chrono_literals;

namespace {

berth::task<> greet(berth::tcp_stream client, std::string greeting, const int& beats) {
  const std::string line = greeting + " after " + std::to_string(beats) + " beats\n";
  const auto sent = co_await client.write_all(line);
  if (!sent) co_return;
  (void)co_await client.shutdown();
}

berth::task<> beat(std::chrono::milliseconds pause, int& beats) {
  for (;;) {
    const auto slept = co_await berth::sleep_for(pause);
    if (!slept) co_return;  // the service drains
    ++beats;
  }
}

}  // namespace

int main(int argc, char** argv) {
  int beats = 0;
  berth::service service("hello", "1.0.0");
  const auto greeting = service.option("greeting", "hello", "What it says first");
  const auto pause = service.option("pause", 1s, "Time between two beats");
  const auto loud = service.option("loud", false, "Adds an exclamation mark");
  service.set_scheme("tcp");
  service.background([&] { return beat(*pause, beats); });
  service.on_connection([&](berth::tcp_stream client) {
    return greet(std::move(client), *loud ? *greeting + "!" : *greeting, beats);
  });
  return service.run(argc, argv);
}
