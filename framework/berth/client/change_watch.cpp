#include <berth/client/change_watch.hpp>

#include <atomic>
#include <chrono>

#include <berth/base/log.hpp>
#include <berth/coro/sleep.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

constexpr auto look_again = 100ms;
constexpr unsigned looks_between_tries = 50;

void say_once(const error& refused) {
  static std::atomic_flag said;
  if (said.test_and_set()) return;
  log::warning("{}; looking every {} ms instead", refused.what(), look_again.count());
}

}  // namespace

change_watch::change_watch(event_loop& loop, std::filesystem::path directory)
    : loop_(loop), directory_(std::move(directory)) {
  try_to_watch();
}

void change_watch::try_to_watch() {
  try {
    watch_.emplace(loop_, directory_);
  } catch (const error& refused) {
    if (refused.code() == std::errc::no_such_file_or_directory) throw;
    say_once(refused);
  }
}

task<result<std::string>> change_watch::next(deadline until) {
  if (watch_) {
    auto name = co_await watch_->next(until);
    co_return name;
  }
  const auto soon = deadline::after(loop_.now(), look_again);
  const auto slept = co_await sleep_until(std::min(soon, until));
  if (!slept) co_return slept.failure();
  if (until <= soon) co_return failure::cancelled(stop_reason::deadline);
  if (++looks_ % looks_between_tries == 0) try_to_watch();
  co_return std::string();
}

}  // namespace berth
