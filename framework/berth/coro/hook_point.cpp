#include <berth/coro/hook_point.hpp>

#include <utility>

#include <berth/base/exception_message.hpp>
#include <berth/base/log.hpp>
#include <berth/coro/timeout.hpp>

namespace berth {
namespace {

std::string describe_failure(std::string_view hook, std::string_view point, std::string_view why) {
  std::string text = "hook \"";
  text += hook;
  text += "\" at \"";
  text += point;
  text += "\" failed: ";
  text += why;
  return text;
}

}  // namespace

hook_failed::hook_failed(std::string_view hook, std::string_view point, std::string_view why)
    : error(describe_failure(hook, point, why),
            std::make_error_code(std::errc::operation_canceled)) {}

task<> hook_caller::call_one(const hook_entry& hook, std::function<task<>()> called) {
  const auto begun = std::chrono::steady_clock::now();
  std::string why;
  try {
    const auto ended = co_await timeout(hook.within, called());
    if (!ended)
      why = "it took longer than " + std::to_string(hook.within.count()) + " ms, and was cancelled";
  } catch (...) {
    why = exception_message();
  }
  statistics_.calls += 1;
  statistics_.nanoseconds +=
      static_cast<std::uint64_t>((std::chrono::steady_clock::now() - begun).count());
  if (why.empty()) co_return;
  statistics_.failures += 1;
  throw hook_failed(hook.name, name_, why);
}

task<> hook_caller::call_and_log(const hook_entry& hook, std::function<task<>()> called) {
  try {
    co_await call_one(hook, std::move(called));
  } catch (const hook_failed& failed) {
    log::error("{}", failed.what());
  }
}

}  // namespace berth
