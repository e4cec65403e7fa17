// The code of framework/GUIDE.md as one program: the guide quotes each piece verbatim.
#include <cstdio>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <vector>

#include <berth/coro/channel.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/generator.hpp>
#include <berth/coro/latch.hpp>
#include <berth/coro/mutex.hpp>
#include <berth/coro/named.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/semaphore.hpp>
#include <berth/coro/shield.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/timeout.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/coro/with_scope.hpp>
#include <berth/coro/yield.hpp>
#include <berth/io/child_process.hpp>
#include <berth/io/directory_watch.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/file.hpp>
#include <berth/io/framer.hpp>
#include <berth/io/local.hpp>
#include <berth/io/offload.hpp>
#include <berth/io/tcp.hpp>
#include <berth/io/udp.hpp>

using namespace std::chrono_literals;

namespace {

void expect(bool held, const char* what) {
  if (!held) throw std::runtime_error(what);
}

berth::task<int> slow_answer() {
  const auto slept = co_await berth::sleep_for(1ms);
  co_return slept ? 42 : 0;
}

berth::task<> tasks_and_scopes() {
  const int answer = co_await slow_answer();

  const auto here = co_await berth::current_context();
  berth::scope background(here);
  int done = 0;
  background.spawn([&done]() -> berth::task<> {
    const auto slept = co_await berth::sleep_for(1ms);
    if (slept) ++done;
  });
  co_await background.join();  // always, before the scope ends
  expect(answer == 42 && done == 1, "tasks and scopes");
}

berth::task<> count_one(int& counted) {
  const auto slept = co_await berth::sleep_for(1ms);
  if (slept) ++counted;
}

berth::task<> joined_on_every_way_out() {
  const auto count_twice = [](berth::scope& tasks, int& counted) -> berth::task<> {
    for (int i = 0; i < 2; ++i) tasks.spawn(count_one(counted));
    co_return;  // the tasks go on, and are joined
  };
  int counted = 0;
  co_await berth::with_scope(count_twice, std::ref(counted));
  expect(counted == 2, "joined on every way out");
}

berth::task<> taking_turns() {
  const std::vector<int> numbers{1, 2, 3};
  int sum = 0;
  for (const int each : numbers) {
    sum += each;
    const auto going_on = co_await berth::yield();
    if (!going_on) co_return;  // a stop was requested
  }
  expect(sum == 6, "taking turns");
}

berth::task<> misuse() {
  berth::task<int> gone = slow_answer();
  const berth::task<int> kept = std::move(gone);
  bool refused = false;
  try {
    (void)co_await std::move(gone);  // it was moved from
  } catch (const berth::error&) {
    refused = true;
  }
  expect(refused, "misuse");
}

berth::task<> together() {
  const auto both = co_await berth::when_all(slow_answer(), slow_answer());
  const int sum = std::get<0>(both) + std::get<1>(both);

  const auto first = co_await berth::when_any(slow_answer(), berth::sleep_for(1h));
  const bool answered = first.index() == 0;  // and the sleep was cancelled and awaited

  const auto in_time = co_await berth::timeout(1ms, berth::sleep_for(1h));
  const bool late = in_time.timed_out();
  expect(sum == 84 && answered && late, "together");
}

berth::task<> cancelling() {
  const auto here = co_await berth::current_context();
  berth::scope work(here);
  berth::stop_reason told = berth::stop_reason::none;
  work.spawn([&told]() -> berth::task<> {
    const auto slept = co_await berth::sleep_for(1h);
    told = slept.reason();
    (void)co_await berth::shield(berth::sleep_for(1ms));  // what must finish
  });
  work.cancel(berth::stop_reason::requested);
  co_await work.join();
  expect(told == berth::stop_reason::requested, "cancelling");
}

berth::task<> one_by_one() {
  berth::mutex exclusive;
  berth::semaphore four_at_once(4);
  berth::latch both_done(2);
  berth::event opened;

  const auto held = co_await exclusive.lock();
  const auto permit = co_await four_at_once.acquire();
  four_at_once.release();
  both_done.count_down(2);
  const auto open = co_await both_done.wait();
  opened.set();
  const auto set = co_await opened.wait();
  expect(held && permit && open && set, "one by one");
}

berth::task<> produce(berth::channel<int>& into) {
  for (int i = 1; i <= 3; ++i) {
    const auto sent = co_await into.send(i);
    if (!sent) co_return;
  }
  into.close();
}

berth::generator<int> squares(int last) {
  for (int i = 1; i <= last; ++i) co_yield i* i;
}

berth::task<> streams_of_values() {
  const auto here = co_await berth::current_context();
  berth::channel<int> numbers(1);
  berth::scope producers(here);
  producers.spawn(produce(numbers));
  int sum = 0;
  for (;;) {
    const auto number = co_await numbers.receive();
    if (!number) break;  // closed
    sum += *number;
  }
  co_await producers.join();

  auto generated = squares(3);
  for (;;) {
    const auto square = co_await generated.next();
    if (!square) break;
    sum += *square;
  }
  expect(sum == 6 + 14, "streams of values");
}

berth::task<> answer_lines(berth::tcp_stream client) {
  berth::line_framer lines;
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto size = co_await client.read_some(buffer, berth::deadline::after(30s));
    if (!size || *size == 0) co_return;
    lines.feed(std::span{buffer}.first(*size));
    while (const auto line = lines.next()) {
      const auto sent = co_await client.write_all("you said " + std::string(*line) + "\n");
      if (!sent) co_return;
    }
  }
}

berth::task<> talking() {
  const auto here = co_await berth::current_context();
  const berth::endpoint any_port("127.0.0.1", 0);
  berth::tcp_listener listener(berth::event_loop::of(here), any_port);

  const berth::endpoint named("localhost", listener.bound().port);
  auto client = co_await berth::connect(named, berth::deadline::after(10s));
  auto served = co_await listener.accept();
  expect(client && served, "talking");

  berth::scope serving(here);
  serving.spawn(berth::named("lines", answer_lines(std::move(*served))));
  const auto sent = co_await client->write_all("hello\n");
  std::array<std::byte, 64> buffer;
  const auto size = co_await client->read_some(buffer);
  client->close();
  co_await serving.join();
  expect(sent && *size == 15, "talking");
}

berth::task<> on_this_machine(std::filesystem::path directory) {
  const auto here = co_await berth::current_context();
  auto& loop = berth::event_loop::of(here);

  berth::local_listener listener(loop, directory / "socket");
  auto client = co_await berth::local_connect(directory / "socket");

  const berth::endpoint any_port("127.0.0.1", 0);
  berth::udp_socket from(loop, any_port), to(loop, any_port);
  const std::array<std::byte, 3> three{};
  const auto sent = co_await from.send(to.bound(), three);
  std::array<std::byte, 64> buffer;
  const auto datagram = co_await to.receive(buffer);

  berth::directory_watch watch(loop, directory);
  const auto written = co_await berth::write_file(directory / "note", "text");
  const auto changed = co_await watch.next();

  berth::child_options options;
  options.output = berth::child_options::stream::piped;
  const std::vector<std::string> command{"echo", "from a child"};
  berth::child_process child(loop, command, options);
  const auto told = co_await child.output->read_some(buffer);
  const auto ended = co_await child.wait();

  auto blocking = [] { return std::filesystem::current_path(); };
  const auto path = co_await berth::offload(std::move(blocking));
  expect(client && sent && datagram->size == 3 && written && *changed == "note" && *told == 13 &&
             ended->code == 0 && path,
         "on this machine");
}

berth::task<> all_of_it(std::filesystem::path directory) {
  co_await tasks_and_scopes();
  co_await joined_on_every_way_out();
  co_await taking_turns();
  co_await misuse();
  co_await together();
  co_await cancelling();
  co_await one_by_one();
  co_await streams_of_values();
  co_await talking();
  co_await on_this_machine(directory);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: guide DIRECTORY\n", stderr);
    return 2;
  }
  try {
    berth::run(all_of_it(argv[1]));
    return 0;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "guide: %s\n", failed.what());
    return 1;
  }
}
