// Runs a task on a manual loop and clock; and small tasks.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <berth/coro/manual_loop.hpp>
#include <berth/coro/root_task.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/stop.hpp>

namespace coro_test {

using namespace berth;

/// Runs a task on a loop and a clock that the test moves.
template <typename T>
struct driven {
  explicit driven(task<T> started) : root(std::move(started)) {
    context.loop = &loop;
    context.stop = stop.token();
    root.start(context);
    loop.run_ready();
  }
  manual_loop loop;
  stop_source stop;
  execution_context context;
  root_task<T> root;
};

inline task<int> give(int value) { co_return value; }
inline task<int> fail(std::string why) {
  if (!why.empty()) throw std::runtime_error(why);
  co_return 0;
}
inline task<stop_reason> sleep_and_tell(std::chrono::nanoseconds time) {
  const auto slept = co_await sleep_for(time);
  co_return slept.reason();
}
inline task<> note_after(std::chrono::nanoseconds time, int name, std::vector<int>& order) {
  const auto slept = co_await sleep_for(time);
  order.push_back(slept ? name : -name);
}

}  // namespace coro_test
