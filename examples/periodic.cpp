// Works in the background while it serves: counts the seconds, and sends the count to each client.
// Find it with: berth --app periodic url
#include <chrono>
#include <optional>
#include <string>

#include <berth/base/log.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/service/service.hpp>

using namespace std::chrono_literals;

berth::task<> count_seconds(int& seconds) {
  for (;;) {
    const auto slept = co_await berth::sleep_for(1s);
    if (!slept) co_return;  // the scope was cancelled
    ++seconds;
  }
}

berth::task<> tell(berth::tcp_stream client, const int& seconds) {
  const std::string line = std::to_string(seconds) + " s\n";
  const auto sent = co_await client.write_all(line);
  if (!sent) co_return;
  (void)co_await client.shutdown();
}

berth::task<> serve_and_count(berth::service& service, int& seconds) {
  const auto here = co_await berth::current_context();
  berth::scope background(here);
  background.spawn(count_seconds(seconds));
  berth::service::overrides as_configured;
  as_configured.catch_signals = true;
  std::exception_ptr failed;
  try {
    co_await service.serve(as_configured);
  } catch (...) {
    failed = std::current_exception();
  }
  background.cancel();
  co_await background.join();
  if (failed) std::rethrow_exception(failed);
}

int main() {
  int seconds = 0;
  berth::service service("periodic", "1.0.0");
  service.set_scheme("tcp");
  service.hooks().publishing.add("stamp", [](berth::record& published) -> berth::task<> {
    published.metadata["team"] = "blue";
    co_return;
  });
  service.on_connection(
      [&seconds](berth::tcp_stream client) { return tell(std::move(client), seconds); });
  try {
    berth::run(serve_and_count(service, seconds));
  } catch (const std::exception& failed) {
    berth::log::error("{}", failed.what());
    return 1;
  }
}
