#include <berth/service/worker_group.hpp>

#include <thread>

namespace berth {

void worker_group::bind(event_loop& home, const endpoint& at, const connection_rules& rules,
                        std::size_t count, run_end& end) {
  while (workers_.size() < count)
    workers_.push_back(std::make_unique<worker>(
        home, at, rules, [&end](std::exception_ptr why) { end.fail(std::move(why)); }));
}

void worker_group::start() {
  for (auto& each : workers_) each->start();
}

void worker_group::begin_to_stop() {
  for (auto& each : workers_) each->begin_to_stop();
}

void worker_group::cancel() {
  for (auto& each : workers_) each->cancel();
}

void worker_group::drain(drain_plan plan) {
  for (auto& each : workers_) each->drain(plan);
}

void worker_group::drain_now(steady_time now) {
  const auto soon = deadline::after(now, std::chrono::nanoseconds(1));
  drain({std::chrono::nanoseconds(1), soon, soon, soon});
}

task<std::size_t> worker_group::drained() {
  std::size_t left = 0;
  for (auto& each : workers_) {
    const std::size_t of_worker = co_await each->drained();
    left += of_worker;
  }
  co_return left;
}

task<> worker_group::ended() {
  for (auto& each : workers_) co_await each->ended();
  workers_.clear();
}

event* worker_group::draining_here() const noexcept {
  const auto here = std::this_thread::get_id();
  for (const auto& each : workers_)
    if (each->thread() == here) return &each->draining();
  return nullptr;
}

}  // namespace berth
