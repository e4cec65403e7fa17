#include <berth/service/background_tasks.hpp>

#include <berth/coro/named.hpp>

namespace berth {

void background_tasks::start(const execution_context& context,
                             const std::vector<background_work>& wanted, run_end& end) {
  if (wanted.empty()) return;
  tasks_.emplace(context);
  running_ = wanted.size();
  for (const auto& each : wanted) tasks_->spawn(named(each.name, run(each, end)));
}

/// Calls `start` within a coroutine, so that an exception from the call itself ends the run as
/// well.
task<> background_tasks::run(const background_work& work, run_end& end) {
  try {
    auto started = work.start();
    co_await std::move(started);
  } catch (...) {
    end.fail(std::current_exception());
  }
  if (--running_ == 0) none_runs_.set();
}

task<std::size_t> background_tasks::left_at(deadline until) {
  if (!tasks_ || running_ == 0) co_return std::size_t{0};
  const auto ended = co_await none_runs_.wait(until);
  co_return ended ? std::size_t{0} : running_;
}

task<> background_tasks::ended() {
  if (!tasks_) co_return;
  co_await tasks_->join();
  tasks_.reset();
}

}  // namespace berth
