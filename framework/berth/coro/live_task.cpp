#include <fmt/format.h>

#include <berth/coro/executor.hpp>

namespace berth {

live_task::live_task(executor& on, std::string name) : name_(std::move(name)), since_(on.now()) {
  on.live_.push_back(*this);
}

std::vector<std::string> executor::live_tasks() const {
  std::vector<std::string> names;
  for (const live_task& each : live_) {
    const std::chrono::duration<double> age = now() - each.since_;
    names.push_back(fmt::format("{} ({:.1f} s)", each.name_, age.count()));
  }
  return names;
}

}  // namespace berth
