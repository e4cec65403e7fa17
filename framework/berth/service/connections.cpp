#include <berth/service/connections.hpp>

#include <algorithm>

#include <berth/base/exception_message.hpp>
#include <berth/base/log.hpp>
#include <berth/coro/named.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/io/open_file_limit.hpp>

namespace berth {

using namespace std::chrono_literals;

namespace {

constexpr auto look_at_idle_every = 100ms;

void say_that_it_ended() noexcept {
  const std::string why = exception_message();
  try {
    log::error("a connection ended: {}", why);
  } catch (...) {
    log::write_line("a connection ended: out of memory");
  }
}

}  // namespace

/// Counts a connection while it exists.
class connections::counted {
 public:
  explicit counted(connections& of) : of_(of) {
    ++of_.counted_;
    ++of_.rules_.counters->connections;
    of_.rules_.all->opened();
    of_.idle_.reset();
    if (of_.counted_ == of_.rules_.most) of_.room_.reset();
  }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() {
    --of_.counted_;
    of_.rules_.all->closed();
    of_.room_.set();
    of_.one_ended_.set();
    if (of_.counted_ == 0) of_.idle_.set();
  }

 private:
  connections& of_;
};

void connections::open_connection::end_if_idle() const noexcept {
  const bool same = was_idle && arrivals == watch.arrivals();
  was_idle = watch.is_idle();
  arrivals = watch.arrivals();
  if (was_idle && same) handler.cancel(stop_reason::shutdown);
}

connections::connections(const execution_context& context, const connection_rules& rules)
    : rules_(rules),
      loop_(event_loop::of(context)),
      handlers_(context),
      spare_(std::clamp<std::size_t>(most_open_files() / 16, 2, 16)) {
  room_.set();
  idle_.set();
}

task<> connections::accept_from(tcp_listener& listener) {
  for (;;) {
    const bool room = co_await have_room(deadline::never());
    if (!room) co_return;
    const bool go_on = co_await accept_one(listener, deadline::never());
    if (!go_on) co_return;
  }
}

task<> connections::accept_last(tcp_listener& listener, drain_plan plan) {
  for (;;) {
    const bool room = co_await have_room(plan.soft);  // clients in the backlog count as well
    if (!room) co_return;
    const auto silence = deadline::after(loop_.now(), plan.quiet);
    const bool go_on = co_await accept_one(listener, std::min(silence, plan.soft));
    if (!go_on) co_return;
  }
}

task<bool> connections::have_room(deadline until) {
  const auto free = co_await room_.wait(until);
  if (!free) co_return false;
  const bool enough = co_await have_descriptors(until);
  co_return enough;
}

// libuv closes a connection for which it has no descriptor, so the process must not run out of
// them. Each accept makes libuv accept one more, and the handler may open descriptors as well.
task<bool> connections::have_descriptors(deadline until) {
  if (accepts_before_look_ > 0) {
    --accepts_before_look_;
    co_return true;
  }
  while (!can_open_files(loop_, spare_)) {
    if (!std::exchange(told_, true))
      log::warning(
          "connections wait: this process has too few of its {} descriptors left (raise the limit "
          "of open files; see ulimit -n)",
          most_open_files());
    one_ended_.reset();
    const auto soon = deadline::after(loop_.now(), 50ms);
    const auto ended = co_await one_ended_.wait(std::min(soon, until));
    if (ended.cancelled() || until.passed(loop_.now())) co_return false;
  }
  accepts_before_look_ = spare_ / 2 - 1;
  co_return true;
}

task<bool> connections::accept_one(tcp_listener& listener, deadline until) {
  auto accepted = co_await listener.accept(until);
  if (accepted) {
    spawn(std::move(*accepted));
    co_return true;
  }
  if (accepted.cancelled() || accepted.timed_out()) co_return false;
  // Out of descriptors, most likely: leave the next one in the backlog for a moment.
  log::warning("cannot accept a connection: {}", accepted.error().message());
  const auto waited = co_await sleep_for(50ms);
  co_return waited.has_value();
}

void connections::spawn(tcp_stream connection) {
  try {
    auto name = "connection from " + to_string(connection.peer());
    handlers_.spawn(named(std::move(name), serve(std::move(connection))));
  } catch (...) {
    say_that_it_ended();
  }
}

task<> connections::serve(tcp_stream connection) {
  try {
    const counted one(*this);
    co_await handle(std::move(connection));
  } catch (...) {
    say_that_it_ended();
  }
}

task<> connections::handle(tcp_stream connection) {
  const auto here = co_await current_context();
  connection.count_in(rules_.counters->traffic);
  auto& hooks = *rules_.hooks;
  const bool told = !hooks.connection_opened.empty() || !hooks.connection_closed.empty();
  const endpoint peer = told ? connection.peer() : endpoint{};
  co_await hooks.connection_opened.fire(peer);
  std::exception_ptr failed;
  try {
    scope handler(here);
    open_connection one(handler, connection);
    open_.push_back(one);
    handler.spawn(rules_.handler(std::move(connection)));
    co_await handler.join();
  } catch (...) {
    failed = std::current_exception();
  }
  co_await hooks.connection_closed.fire(peer);
  if (failed) std::rethrow_exception(failed);
}

task<std::size_t> connections::drain(tcp_listener& listener, drain_plan plan) {
  const auto here = co_await current_context();
  scope ending(here);
  ending.spawn(end_idle(plan));
  const bool by_themselves = co_await end_by_themselves(listener, plan);
  ending.cancel();
  co_await ending.join();
  if (!by_themselves) {
    log::warning("cancelling the connections that did not end in time: {}", counted_);
    cancel();
    const auto cancelled = co_await idle_.wait(plan.hard);
    if (!cancelled) {
      for (const auto& each : loop_.live_tasks()) log::error("still running: {}", each);
      co_return counted_;
    }
  }
  co_await handlers_.join();
  co_return std::size_t{0};
}

task<bool> connections::end_by_themselves(tcp_listener& listener, drain_plan plan) {
  try {
    co_await accept_last(listener, plan);
  } catch (...) {
    say_that_it_ended();
  }
  listener.close();
  const auto ended = co_await idle_.wait(plan.soft);
  co_return ended.has_value();
}

/// Ends idle connections until it is cancelled.
task<> connections::end_idle(drain_plan plan) {
  auto slept = co_await sleep_until(plan.idle);
  while (slept) {
    for (const auto& each : open_) each.end_if_idle();
    slept = co_await sleep_for(look_at_idle_every);
  }
}

task<> connections::ended() { co_await handlers_.join(); }

}  // namespace berth
