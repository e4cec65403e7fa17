// Trivial tasks, and the message that misuse throws.
#pragma once

#include <string>

#include <berth/base/error.hpp>
#include <berth/io/event_loop.hpp>

namespace runtime_test {

using namespace berth;

inline task<int> answer() { co_return 42; }

inline task<> nothing() { co_return; }

/// What awaiting that which `start` gives throws as berth::error; empty if it throws nothing.
template <typename Start>
task<std::string> thrown_in_task(Start start) {
  const auto here = co_await current_context();
  try {
    auto awaited = start(event_loop::of(here));
    (void)co_await std::move(awaited);
  } catch (const error& thrown) {
    co_return thrown.what();
  }
  co_return std::string();
}

template <typename Start>
std::string misuse(Start start) {
  return run(thrown_in_task(std::move(start)));
}

}  // namespace runtime_test
