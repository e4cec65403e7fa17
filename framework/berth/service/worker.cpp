#include <berth/service/worker.hpp>

namespace berth {
namespace {

listen_options shared_port() {
  listen_options options;
  options.share_port = true;
  return options;
}

}  // namespace

worker::worker(event_loop& home, const endpoint& at, const connection_rules& rules)
    : home_(home), rules_(rules), listener_(loop_, at, shared_port()) {}

worker::~worker() {
  if (thread_.joinable()) thread_.join();
}

void worker::start() {
  thread_ = std::thread([this] {
    id_ = std::this_thread::get_id();
    loop_.run(serve());
  });
}

void worker::begin_to_stop() {
  loop_.submit([this] { draining_.set(); });
}

void worker::drain(drain_plan plan) {
  loop_.submit([this, plan] {
    plan_ = plan;
    planned_.set();
  });
}

void worker::cancel() {
  loop_.submit([this] {
    if (open_) open_->cancel();
  });
}

task<std::size_t> worker::drained() {
  (void)co_await drained_.wait();
  co_return left_;
}

task<> worker::serve() {
  const auto here = co_await current_context();
  connections open(here, rules_);
  open_ = &open;
  {
    scope accepting(here);
    accepting.spawn(open.accept_from(listener_));
    (void)co_await planned_.wait();
    accepting.cancel();
    co_await accepting.join();
  }
  const std::size_t left = co_await open.drain(listener_, plan_);
  home_.submit([this, left] {
    left_ = left;
    drained_.set();
  });
  // What does not end keeps its thread: the service gives up on the process then.
  event never;
  if (left > 0) {
    const auto given_up = co_await never.wait();
    (void)given_up;
  }
  open_ = nullptr;
}

}  // namespace berth
