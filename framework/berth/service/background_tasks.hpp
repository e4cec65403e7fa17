// The background work of a run: started when the service is ready, cancelled when it begins to
// drain, joined before the run ends. On the service's thread. Private to service/.
#pragma once

#include <optional>
#include <vector>

#include <berth/coro/event.hpp>
#include <berth/coro/scope.hpp>
#include <berth/service/run_end.hpp>
#include <berth/service/service_options.hpp>

namespace berth {

class background_tasks {
 public:
  /// An exception from one of them ends the run.
  void start(const execution_context& context, const std::vector<background_work>& wanted,
             run_end& end);
  void cancel(stop_reason why) noexcept {
    if (tasks_) tasks_->cancel(why);
  }
  /// Waits until the deadline; returns how many still run.
  task<std::size_t> left_at(deadline until);
  /// Waits until all have ended.
  task<> ended();

 private:
  task<> run(const background_work& work, run_end& end);

  std::optional<scope> tasks_;
  std::size_t running_ = 0;
  event none_runs_;
};

}  // namespace berth
