// Tests a coroutine without waiting: the clock of a manual_loop moves only when the test moves it.
#include <chrono>
#include <cstdio>
#include <functional>

#include <berth/coro/manual_loop.hpp>
#include <berth/coro/root_task.hpp>
#include <berth/coro/sleep.hpp>

using namespace std::chrono_literals;

// The coroutine under test: makes five attempts at most, with pauses of 1, 2, 4 and 8 seconds.
berth::task<bool> retry(std::function<bool()> attempt) {
  auto pause = std::chrono::nanoseconds(1s);
  for (int tries = 1;; ++tries, pause *= 2) {
    if (attempt()) co_return true;
    if (tries == 5) co_return false;
    const auto slept = co_await berth::sleep_for(pause);
    if (!slept) co_return false;  // a stop was requested
  }
}

bool gives_up_after_fifteen_seconds() {
  berth::manual_loop loop;
  berth::execution_context context;
  context.loop = &loop;
  int attempts = 0;
  berth::root_task<bool> retrying(retry([&attempts] { return ++attempts == 0; }));
  retrying.start(context);
  loop.advance(15s - 1ns);
  if (retrying.ended() || attempts != 4) return false;
  loop.advance(1ns);
  return retrying.ended() && !retrying.take() && attempts == 5;
}

bool ends_early_when_stopped() {
  berth::manual_loop loop;
  berth::stop_source stop;
  berth::execution_context context;
  context.loop = &loop;
  context.stop = stop.token();
  berth::root_task<bool> retrying(retry([] { return false; }));
  retrying.start(context);
  stop.request_stop(berth::stop_reason::requested);
  loop.run_ready();
  return retrying.ended() && !retrying.take();
}

int main() {
  int passed = 0;
  for (const bool held : {gives_up_after_fifteen_seconds(), ends_early_when_stopped()})
    passed += held;
  std::printf("%d passed, %d failed\n", passed, 2 - passed);
  return passed == 2 ? 0 : 1;
}
