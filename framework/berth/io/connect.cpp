#include <berth/coro/event.hpp>
#include <berth/coro/scope.hpp>
#include <berth/io/resolve.hpp>
#include <berth/io/tcp.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

constexpr auto start_over_the_next = 250ms;  // RFC 8305, 5: Connection Attempt Delay

struct attempts {
  std::optional<tcp_stream> won;
  failure last = std::make_error_code(std::errc::host_unreachable);
  event told;  // set when one of them has ended
};

task<> attempt(endpoint to, deadline until, attempts& all) {
  auto connected = co_await tcp_connect(std::move(to), until);
  if (!connected)
    all.last = connected.failure();
  else if (!all.won)
    all.won.emplace(std::move(*connected));
  all.told.set();
}

}  // namespace

task<result<tcp_stream>> connect(endpoint named, deadline until) {
  const auto addresses = co_await resolve(std::move(named), until);
  if (!addresses) co_return addresses.failure();
  const auto here = co_await current_context();
  attempts all;
  scope tasks(here);
  for (const auto& address : *addresses) {
    all.told.reset();
    tasks.spawn(attempt(address, until, all));
    const auto next_one = deadline::after(here.loop->now(), start_over_the_next);
    const auto ended = co_await all.told.wait(std::min(next_one, until));
    if (all.won || ended.cancelled()) break;
  }
  while (!all.won && tasks.running() > 0) {
    all.told.reset();
    const auto ended = co_await all.told.wait();
    if (ended.cancelled()) break;
  }
  tasks.cancel(stop_reason::sibling_won);
  co_await tasks.join();
  if (all.won) co_return std::move(*all.won);
  co_return all.last;
}

}  // namespace berth
