// A plugin in C++ whose hooks are coroutines that sleep, throw, or look at connections.
#include <berth/coro/sleep.hpp>
#include <berth/plugin/plugin.hpp>

namespace {

using namespace berth;

task<> sleep_and_tell(plugin_event event, std::chrono::milliseconds time) {
  const auto slept = co_await sleep_for(time);
  if (!slept) throw std::runtime_error("woken");
  event.set_metadata("slept", "well");
}

task<> fail() {
  throw std::runtime_error("as it was told");
  co_return;
}

task<> tick(int& ticks) {
  for (;;) {
    const auto slept = co_await sleep_for(std::chrono::milliseconds(1));
    if (!slept) co_return;
    ++ticks;
  }
}

class sleepy final : public plugin {
  void start() override {
    const std::string at = setting("at"), does = setting("does");
    if (does == "refuse") throw std::runtime_error("it does not want to");
    const std::chrono::milliseconds time(does == "oversleep" ? 10'000 : 5);
    on(
        at.c_str(),
        [time, does](plugin_event event) {
          return does == "throw" ? fail() : sleep_and_tell(event, time);
        },
        0, std::chrono::milliseconds(50));
    background().spawn(tick(ticks_));
  }
  task<> stop() override {
    log(BERTH_LOG_INFO, ticks_ > 0 ? "it ticked" : "it did not tick");
    co_return;
  }
  int ticks_ = 0;
};

}  // namespace

BERTH_DEFINE_PLUGIN(sleepy, "sleepy", "1")
