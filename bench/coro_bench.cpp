// Measures the parts of coro/, in nanoseconds and allocations per call; a task is compared with a
// minimal one.
// usage: coro-bench [ROUNDS]
#include <fmt/format.h>
#include <array>
#include <cstdlib>
#include <new>

#include <berth/coro/channel.hpp>
#include <berth/coro/manual_loop.hpp>
#include <berth/coro/mutex.hpp>
#include <berth/coro/root_task.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/io/event_loop.hpp>

#include "bare.hpp"
#include "samples.hpp"

namespace {

std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace berth;

/// A lazy coroutine with a value and an exception, symmetric transfer and a free list of frames,
/// and nothing else.
template <typename T>
class least_task {
 public:
  struct promise_type {
    static inline thread_local std::array<void*, 32> free{};
    static void* operator new(std::size_t size) {
      void*& head = free[size / 64];
      if (!head) return ::operator new((size / 64 + 1) * 64);
      void* const frame = head;
      head = *static_cast<void**>(frame);
      return frame;
    }
    static void operator delete(void* frame, std::size_t size) noexcept {
      void*& head = free[size / 64];
      *static_cast<void**>(frame) = head;
      head = frame;
    }
    struct transfer {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> of) noexcept {
        return of.promise().continuation;
      }
      void await_resume() const noexcept {}
    };
    least_task get_return_object() noexcept {
      return least_task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    transfer final_suspend() const noexcept { return {}; }
    void return_value(T made) { value = std::move(made); }
    void unhandled_exception() noexcept { thrown = std::current_exception(); }

    std::coroutine_handle<> continuation;
    std::optional<T> value;
    std::exception_ptr thrown;
  };

  least_task(least_task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  ~least_task() {
    if (handle_) handle_.destroy();
  }
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  T await_resume() const {
    if (handle_.promise().thrown) std::rethrow_exception(handle_.promise().thrown);
    return std::move(*handle_.promise().value);
  }

 private:
  explicit least_task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

// Not inlined, so that the caller pays for a frame.
[[gnu::noinline]] least_task<int> least(int value) { co_return value; }
[[gnu::noinline]] task<int> ours(int value) { co_return value; }
[[gnu::noinline]] task<> nothing() { co_return; }

task<> least_tasks(int count) {
  for (int i = 0; i < count; ++i) {
    const int value = co_await least(i);
    bench::must(value == i);
  }
}

task<> our_tasks(int count) {
  for (int i = 0; i < count; ++i) {
    const int value = co_await ours(i);
    bench::must(value == i);
  }
}

task<> when_any_ready(int count) {
  for (int i = 0; i < count; ++i) {
    auto first = co_await when_any(ours(i), ours(i));
    bench::must(first.index() == 0);
  }
}

task<> spawned(int count) {
  const auto here = co_await current_context();
  scope tasks(here);
  for (int i = 0; i < count; ++i) tasks.spawn(nothing());
  co_await tasks.join();
}

task<> send_all(channel<int>& to, int count) {
  for (int i = 0; i < count; ++i) {
    const auto sent = co_await to.send(i);
    bench::must(sent.has_value());
  }
  to.close();
}

task<> through_channel(int count) {
  const auto here = co_await current_context();
  channel<int> values(64);
  scope tasks(here);
  tasks.spawn(send_all(values, count));
  int received = 0;
  for (;;) {
    const auto value = co_await values.receive();
    if (!value) break;
    ++received;
  }
  bench::must(received == count);
  co_await tasks.join();
}

task<> locked(int count) {
  mutex exclusive;
  for (int i = 0; i < count; ++i) {
    const auto held = co_await exclusive.lock();
    bench::must(held.has_value());
  }
}

task<> sleeping(int count) {
  for (int i = 0; i < count; ++i) {
    const auto slept = co_await sleep_for(std::chrono::nanoseconds(1));
    bench::must(slept.has_value());
  }
}

struct thing {
  bench::samples times;
  task<> (*run)(int);
  double allocations = 0;
};

constexpr int count = 10'000;

void measure(thing& one) {
  manual_loop loop;
  root_task<void> root(one.run(count));
  execution_context context;
  context.loop = &loop;
  const std::size_t before = allocations;
  const auto begun = std::chrono::steady_clock::now();
  root.start(context);
  while (!root.ended()) {
    loop.run_ready();
    if (const auto due = loop.next_due()) loop.advance(*due - loop.now());
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
  one.times.microseconds.push_back(took.count() / count);
  one.allocations = static_cast<double>(allocations - before) / count;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 300;
  std::vector<thing> things = {
      {{"the least task: made, awaited, destroyed", "", {}}, least_tasks},
      {{"task: made, awaited, destroyed", "the least task: made, awaited, destroyed", {}},
       our_tasks},
      {{"when_any of two ready tasks", "", {}}, when_any_ready},
      {{"spawn in a scope, joined", "", {}}, spawned},
      {{"value through a channel of 64", "", {}}, through_channel},
      {{"mutex: locked and unlocked", "", {}}, locked},
      {{"sleep_for: armed, expired", "", {}}, sleeping},
  };
  for (int round = -1; round < rounds; ++round) {
    for (auto& each : things) measure(each);
    if (round < 0)
      for (auto& each : things) each.times.microseconds.clear();
  }
  std::vector<bench::samples> all;
  for (auto& each : things) {
    each.times.name += fmt::format(" ({:.2g} allocations)", each.allocations);
    if (!each.times.floor.empty()) each.times.floor = things[0].times.name;
    all.push_back(each.times);
  }
  bench::print_table("coroutines, nanoseconds", all);
}
