// Shows that no request is lost, whatever happens to the server between. Clients discover or start
// it, connect, send a request and wait for its answer, again and again:
//   requests-harness idle REQUESTS SERVER     the server ends when it was idle for 50 ms
//   requests-harness replace REQUESTS SERVER  another one takes its place every 200 ms
//   requests-harness stop REQUESTS SERVER     it is stopped every 200 ms, and started by who needs
//   it
#include <array>
#include <berth/client/async.hpp>
#include <berth/client/ensure.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/discovery/server_process.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>
#include <cstdlib>
#include <random>
#include <set>

#include <fmt/format.h>

#include "support/temporary_directory.hpp"

namespace {

using namespace berth;
using namespace std::chrono_literals;

constexpr int clients = 8;

struct run_state {
  location where;
  std::vector<std::string> command;
  long left;
  bool pauses;  ///< all at once, for about as long as makes the server think that it is idle
  deadline pause_until = deadline::after(0s);
  long answered = 0, failed = 0, changes = 0;
  std::set<std::string> seen = {};  ///< instances that answered
};

ensure_options in_time() {
  ensure_options options;
  options.timeout = 30s;
  return options;
}

task<std::string> request(run_state& state) {
  auto found = co_await ensure(state.where, state.command, in_time());
  if (!found) co_return "not found: " + found.error().message();
  const endpoint at(found->host, found->port);
  auto connected = co_await tcp_connect(at, deadline::after(20s));
  if (!connected) co_return "not connected: " + connected.error().message();
  const auto sent = co_await connected->write_all("ping");
  if (!sent) co_return "not sent: " + sent.error().message();
  std::string back;
  std::array<std::byte, 16> buffer;
  while (back.size() < 4) {
    const auto size = co_await connected->read_some(buffer, deadline::after(20s));
    if (!size) co_return "no answer: " + size.error().message();
    if (*size == 0) co_return "closed before the answer";
    back.append(reinterpret_cast<const char*>(buffer.data()), *size);
  }
  state.seen.insert(found->instance_id);
  co_return std::string();
}

task<> client(run_state& state, unsigned seed) {
  std::minstd_rand random(seed);
  while (state.left-- > 0) {
    std::string failed;
    try {
      failed = co_await request(state);
    } catch (const std::exception& thrown) {
      failed = thrown.what();
    }
    if (failed.empty()) {
      ++state.answered;
    } else if (++state.failed < 5) {
      fmt::print("{}\n", failed);
    }
    if (!state.pauses) continue;
    if (state.left % 250 == 0)
      state.pause_until = deadline::after(std::chrono::microseconds(40'000 + random() % 60'000));
    const auto slept = co_await sleep_until(state.pause_until);
    if (!slept) co_return;
  }
}

task<> replace_often(run_state& state) {
  for (;;) {
    const auto slept = co_await sleep_for(200ms);
    if (!slept) co_return;
    const auto replaced = co_await replace(state.where, state.command, in_time());
    if (!replaced) co_return;
    ++state.changes;
  }
}

task<> stop_often(run_state& state) {
  for (;;) {
    const auto slept = co_await sleep_for(200ms);
    if (!slept) co_return;
    const auto found = co_await async::read_live(state.where);
    if (!found) continue;
    try {
      ask_to_end(*found, state.where);
      ++state.changes;
    } catch (const error&) {
      // It has ended by itself meanwhile.
    }
  }
}

task<> all_clients(run_state& state, const std::string& what) {
  const auto here = co_await current_context();
  scope changing(here), asking(here);
  if (what == "replace") {
    const auto first = co_await ensure(state.where, state.command, in_time());
    if (!first) co_return;
    changing.spawn(replace_often(state));
  }
  if (what == "stop") changing.spawn(stop_often(state));
  for (unsigned i = 0; i < clients; ++i) asking.spawn(client(state, i + 1));
  co_await asking.join();
  changing.cancel();
  co_await changing.join();
  const auto last = co_await async::read_live(state.where);
  if (!last) co_return;
  ask_to_end(*last, state.where);
  const auto gone = co_await async::wait_ended(*last, deadline::after(20s));
  if (!gone) ++state.failed;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() != 3 || (words[0] != "idle" && words[0] != "replace" && words[0] != "stop")) {
    fmt::print(stderr, "usage: requests-harness idle|replace|stop REQUESTS SERVER\n");
    return 2;
  }
  if (words[0] != "idle") ::setenv("IDLE_NEVER", "1", 1);
  const test::temporary_directory directory;
  run_state state{location("idle", directory.path()),
                  {words[2], "--config-dir", directory.path().string(), "--log-level", "error"},
                  std::stol(words[1]),
                  words[0] == "idle"};
  run(all_clients(state, words[0]));
  fmt::print("{}: {} requests answered by {} servers, {} failed\n", words[0], state.answered,
             state.seen.size(), state.failed);
  if (state.failed) fmt::print("{}\n", test::read_text(directory.path() / "server.log"));
  const bool good = state.failed == 0 && state.seen.size() > 1;
  fmt::print("{} passed, {} failed\n", good ? 1 : 0, good ? 0 : 1);
  return good ? 0 : 1;
}
