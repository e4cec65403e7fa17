// The common part of the resolvers: a task that looks in the background, and tasks that wait until
// it has seen a change. On the loop's thread. Close a resolver before it is destroyed.
#pragma once

#include <cstdint>
#include <utility>

#include <berth/base/result.hpp>
#include <berth/coro/context.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/task.hpp>

namespace berth {

class resolver_base {
 public:
  resolver_base(const resolver_base&) = delete;
  resolver_base& operator=(const resolver_base&) = delete;

  /// Stops looking. A task that waits for a change gets `cancelled`.
  task<> close();

 protected:
  explicit resolver_base(const execution_context& context) : looking_(context) {}
  ~resolver_base() = default;

  /// Call it at the end of the constructor: `look` may begin at once.
  void begin(task<> look) { looking_.spawn(std::move(look)); }
  /// Resumes the tasks that wait for a change.
  void report_change();
  /// Waits until a change is reported.
  task<result<void>> wait_for_change(deadline until);

 private:
  std::uint64_t changes_ = 0;
  bool closed_ = false;
  event changed_;
  scope looking_;
};

}  // namespace berth
