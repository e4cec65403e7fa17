#include <berth/service/connections.hpp>

#include <berth/coro/sleep.hpp>

namespace berth {

using namespace std::chrono_literals;

connections::connections(const execution_context& context, connection_handler handler,
                         std::size_t most, service_hooks& hooks)
    : handler_(std::move(handler)), most_(most), hooks_(hooks), handlers_(context) {
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

task<> connections::accept_last(tcp_listener& listener, std::chrono::nanoseconds quiet,
                                deadline until) {
  const auto here = co_await current_context();
  for (;;) {
    const auto free = co_await room_.wait(until);  // who waits in the backlog is on its way too
    if (!free) co_return;
    const auto silence = deadline::after(here.loop->now(), quiet);
    const bool go_on = co_await accept_one(listener, std::min(silence, until));
    if (!go_on) co_return;
  }
}

task<bool> connections::accept_one(tcp_listener& listener, deadline until) {
  auto accepted = co_await listener.accept(until);
  if (accepted) {
    handlers_.spawn(serve(std::move(*accepted)));
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
  busy_.set();
  idle_.reset();
  if (counted_ == most_) room_.reset();

  const bool told = !hooks_.connection_opened.empty() || !hooks_.connection_closed.empty();
  const endpoint peer = told ? connection.peer() : endpoint{};
  co_await hooks_.connection_opened.fire(peer);
  try {
    co_await handler_(std::move(connection));
  } catch (const std::exception& failed) {
    log::error("a connection ended: {}", failed.what());
  }
  co_await hooks_.connection_closed.fire(peer);

  --counted_;
  room_.set();
  if (counted_ == 0) {
    busy_.reset();
    idle_.set();
  }
}

task<std::size_t> connections::drain(deadline soft, deadline hard) {
  const auto by_themselves = co_await idle_.wait(soft);
  if (!by_themselves) {
    log::warning("cancelling {} connections that did not end in time", counted_);
    cancel();
    const auto cancelled = co_await idle_.wait(hard);
    if (!cancelled) co_return counted_;
  }
  co_await handlers_.join();
  co_return std::size_t{0};
}

}  // namespace berth
