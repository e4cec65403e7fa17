#include <berth/service/connections.hpp>

#include <berth/coro/named.hpp>
#include <berth/coro/sleep.hpp>

namespace berth {

using namespace std::chrono_literals;

connections::connections(const execution_context& context, const connection_rules& rules)
    : rules_(rules), handlers_(context) {
  room_.set();
  idle_.set();
}

task<> connections::accept_from(tcp_listener& listener) {
  for (;;) {
    const auto free = co_await room_.wait();
    if (!free) co_return;
    const bool go_on = co_await accept_one(listener, deadline::never());
    if (!go_on) co_return;
  }
}

task<> connections::accept_last(tcp_listener& listener, drain_plan plan) {
  const auto here = co_await current_context();
  for (;;) {
    const auto free = co_await room_.wait(plan.soft);  // who waits in the backlog is on its way too
    if (!free) co_return;
    const auto silence = deadline::after(here.loop->now(), plan.quiet);
    const bool go_on = co_await accept_one(listener, std::min(silence, plan.soft));
    if (!go_on) co_return;
  }
}

task<bool> connections::accept_one(tcp_listener& listener, deadline until) {
  auto accepted = co_await listener.accept(until);
  if (accepted) {
    auto name = "connection from " + to_string(accepted->peer());
    handlers_.spawn(named(std::move(name), serve(std::move(*accepted))));
    co_return true;
  }
  if (accepted.cancelled() || accepted.timed_out()) co_return false;
  // Out of descriptors, most likely: leave the next one in the backlog for a moment.
  log::warning("cannot accept a connection: {}", accepted.error().message());
  const auto waited = co_await sleep_for(50ms);
  co_return waited.has_value();
}

task<> connections::serve(tcp_stream connection) {
  ++counted_;
  ++rules_.counters->connections;
  connection.count_in(rules_.counters->traffic);
  rules_.all->opened();
  idle_.reset();
  if (counted_ == rules_.most) room_.reset();

  auto& hooks = *rules_.hooks;
  const bool told = !hooks.connection_opened.empty() || !hooks.connection_closed.empty();
  const endpoint peer = told ? connection.peer() : endpoint{};
  co_await hooks.connection_opened.fire(peer);
  try {
    co_await rules_.handler(std::move(connection));
  } catch (const std::exception& failed) {
    log::error("a connection ended: {}", failed.what());
  }
  co_await hooks.connection_closed.fire(peer);

  --counted_;
  rules_.all->closed();
  room_.set();
  if (counted_ == 0) idle_.set();
}

task<std::size_t> connections::drain(tcp_listener& listener, drain_plan plan) {
  co_await accept_last(listener, plan);
  listener.close();
  const auto by_themselves = co_await idle_.wait(plan.soft);
  if (!by_themselves) {
    log::warning("cancelling {} connections that did not end in time", counted_);
    cancel();
    const auto cancelled = co_await idle_.wait(plan.hard);
    if (!cancelled) {
      const auto here = co_await current_context();
      for (const auto& each : here.loop->live_tasks()) log::error("still there: {}", each);
      co_return counted_;
    }
  }
  co_await handlers_.join();
  co_return std::size_t{0};
}

}  // namespace berth
