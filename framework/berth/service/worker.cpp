#include <berth/service/worker.hpp>

#include <berth/base/start_thread.hpp>

namespace berth {
namespace {

listen_options shared_port() {
  listen_options options;
  options.share_port = true;
  return options;
}

}  // namespace

worker::worker(event_loop& home, const endpoint& at, const connection_rules& rules,
               std::function<void(std::exception_ptr)> failed)
    : home_(home), rules_(rules), failed_(std::move(failed)), listener_(loop_, at, shared_port()) {}

worker::~worker() {
  if (thread_.joinable()) thread_.join();
}

void worker::start() {
  thread_ = start_thread([this] { run(); });
}

void worker::run() noexcept {
  id_ = std::this_thread::get_id();
  try {
    loop_.run(serve());
  } catch (...) {
    report(std::current_exception());
  }
  home_.submit([this] {
    drained_.set();
    ended_.set();
  });
}

void worker::report(std::exception_ptr why) {
  home_.submit([this, why] { failed_(why); });
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
  if (!thread_.joinable()) co_return std::size_t{0};
  (void)co_await drained_.wait();
  co_return left_;
}

task<> worker::ended() {
  if (!thread_.joinable()) co_return;
  (void)co_await ended_.wait();
}

task<> worker::serve() {
  const auto here = co_await current_context();
  connections open(here, rules_);
  open_ = &open;
  {
    scope accepting(here);
    accepting.spawn(accept(open));
    (void)co_await planned_.wait();
    accepting.cancel();
    co_await accepting.join();
  }
  const std::size_t left = co_await open.drain(listener_, plan_);
  home_.submit([this, left] {
    left_ = left;
    drained_.set();
  });
  co_await open.ended();
  open_ = nullptr;
}

task<> worker::accept(connections& open) {
  try {
    co_await open.accept_from(listener_);
  } catch (...) {
    report(std::current_exception());
  }
}

}  // namespace berth
