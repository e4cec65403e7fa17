// A scope on a manual loop, joined at the end.
#pragma once

#include <berth/coro/scope.hpp>
#include <berth/coro/sync_wait.hpp>

namespace primitives_test {

using namespace berth;

/// Runs what there is to run on a manual loop, with a scope that is joined at the end.
template <typename Body>
void in_a_scope(Body body) {
  const auto whole = [](Body inner) -> task<> {
    const auto here = co_await current_context();
    scope tasks(here);
    co_await inner(tasks);
    co_await tasks.join();
  };
  sync_wait(whole(std::move(body)));
}

}  // namespace primitives_test
