#include <berth/service/started_log.hpp>

#include <berth/base/exception_message.hpp>
#include <berth/client/change_watch.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/discovery/start_log.hpp>
#include <berth/discovery/start_request.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/offload.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

/// Returns once the wait for a change has failed: it was stopped, or the directory is gone.
task<> roll_on_changes(const start_log& log, event_loop& loop) {
  change_watch watch(loop, log.path.parent_path());
  for (;;) {
    auto roll = [&log] { (void)log.roll(); };
    const auto rolled = co_await offload(std::move(roll));
    if (!rolled) co_return;
    const auto slept = co_await sleep_for(50ms);
    if (!slept) co_return;
    for (;;) {
      const auto name = co_await watch.next();
      if (!name) co_return;
      if (name->empty() || *name == log.path.filename()) break;
    }
  }
}

}  // namespace

task<> keep_log_bounded() {
  const auto& request = take_start_request();
  if (request.log.empty()) co_return;
  const start_log log{request.log, request.log.parent_path() != request.port_file.parent_path()};
  const auto here = co_await current_context();
  for (;;) {
    try {
      co_await roll_on_changes(log, event_loop::of(here));
    } catch (const error&) {
      // The directory is gone, and may come back.
      log_ignored_exception("watching the log");
    }
    const auto slept = co_await sleep_for(1s);
    if (!slept) co_return;
  }
}

}  // namespace berth
