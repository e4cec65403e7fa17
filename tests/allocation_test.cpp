// What in steady state costs no memory: allocations of ours and of libuv's are counted, not
// guessed. Not under the sanitizers, where every frame comes from the heap.
#include <array>
#include <cstdlib>
#include <new>

#include <uv.h>

#include <berth/coro/channel.hpp>
#include <berth/coro/mutex.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/sync_wait.hpp>
#include <berth/coro/when_any.hpp>

#include "support/catch.hpp"
#include "support/streams.hpp"

namespace {

std::size_t allocations = 0;

void* counted_malloc(std::size_t size) {
  ++allocations;
  return std::malloc(size);
}
void* counted_realloc(void* memory, std::size_t size) {
  ++allocations;
  return std::realloc(memory, size);
}
void* counted_calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return std::calloc(count, size);
}

const int replaced =
    uv_replace_allocator(counted_malloc, counted_realloc, counted_calloc, std::free);

}  // namespace

void* operator new(std::size_t size) {
  if (void* const memory = counted_malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace berth;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t times = 1000;

task<int> ready() { co_return 1; }

task<> echo(tcp_stream client) {
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto received = co_await client.read_some(buffer);
    if (!received || *received == 0) co_return;
    const auto sent = co_await client.write_all(std::span{buffer}.first(*received));
    if (!sent) co_return;
  }
}

task<> exchange(tcp_stream& with, std::size_t messages) {
  std::array<std::byte, 64> buffer{};
  for (std::size_t i = 0; i < messages; ++i) {
    const auto sent = co_await with.write_all(buffer);
    REQUIRE(sent.has_value());
    const auto back = co_await with.read_some(buffer);
    REQUIRE(*back == buffer.size());
  }
}

/// How many allocations `use` takes for each of many times, once it is warm.
template <typename Use>
task<double> counted(Use use) {
  co_await use(times);
  const std::size_t before = allocations;
  co_await use(times);
  co_return static_cast<double>(allocations - before) / static_cast<double>(times);
}

}  // namespace

TEST_CASE("an echoed message allocates nothing, on either side") {
  REQUIRE(replaced == 0);
  const auto body = []() -> task<> {
    auto streams = co_await test::connect_pair();
    const auto here = co_await current_context();
    scope serving(here);
    serving.spawn(echo(std::move(streams.server)));
    co_await exchange(streams.client, 100);
    const std::size_t before = allocations;
    co_await exchange(streams.client, times);
    const std::size_t after = allocations;
    REQUIRE(after == before);
    streams.client.close();
    co_await serving.join();
  };
  run(body());
}

TEST_CASE("waiting, locking, sleeping and handing values on allocate nothing") {
  const auto body = []() -> task<> {
    channel<int> values(4);
    mutex exclusive;
    const auto use = [&](std::size_t count) -> task<> {
      const auto each = [](channel<int>& through, mutex& lock, std::size_t repeats) -> task<> {
        for (std::size_t i = 0; i < repeats; ++i) {
          const auto held = co_await lock.lock();
          const auto sent = co_await through.send(1);
          const auto received = co_await through.receive();
          const auto slept = co_await sleep_for(1ns);
          if (!held || !sent || !received || !slept) throw std::logic_error("a wait failed");
        }
      };
      return each(values, exclusive, count);
    };
    const double each = co_await counted(use);
    REQUIRE(each == 0);
  };
  sync_wait(body());
}

TEST_CASE("a when_any of two ready tasks, and a spawned task, allocate nothing") {
  const auto any = [](std::size_t count) -> task<> {
    for (std::size_t i = 0; i < count; ++i) {
      const auto first = co_await when_any(ready(), ready());
      if (first.index() != 0) throw std::logic_error("the first is the first");
    }
  };
  const auto spawned = [](std::size_t count) -> task<> {
    const auto here = co_await current_context();
    for (std::size_t i = 0; i < count; ++i) {
      scope tasks(here);
      tasks.spawn([]() -> task<> { co_return; }());
      co_await tasks.join();
    }
  };
  REQUIRE(sync_wait(counted(any)) == 0);
  REQUIRE(sync_wait(counted(spawned)) == 0);
}
