// Under systemd: serves on the socket that a .socket unit hands over, reports when the service is
// ready and when it stops (Type=notify), and serves the watchdog (WatchdogSec=). Does nothing that
// systemd does not ask for. See sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).
#include <systemd/sd-daemon.h>

#include <sys/socket.h>

#include <berth/coro/sleep.hpp>
#include <berth/plugin/plugin.hpp>

namespace {

using namespace berth;

task<> take_socket(plugin_event event) {
  const int count = ::sd_listen_fds(1);
  if (count < 0) throw std::system_error(-count, std::system_category(), "sd_listen_fds");
  if (count == 0) co_return;
  constexpr int first = SD_LISTEN_FDS_START;
  if (count > 1) throw std::runtime_error("systemd handed over more than one socket");
  if (::sd_is_socket(first, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
    throw std::runtime_error(
        "the socket that systemd handed over is not a listening stream socket");
  if (!event.use_listener(first)) throw std::runtime_error("the service has a socket already");
}

task<> tell_ready(plugin_event event) {
  ::sd_notifyf(0, "READY=1\nSTATUS=Published in %s", event.text("path").c_str());
  co_return;
}

task<> tell_stopping(plugin_event) {
  ::sd_notify(0, "STOPPING=1\nSTATUS=Draining");
  co_return;
}

// Runs on the loop, so that systemd notices a loop that is stuck.
task<> keep_watched(std::chrono::microseconds period) {
  for (;;) {
    ::sd_notify(0, "WATCHDOG=1");
    const auto slept = co_await sleep_for(period);
    if (!slept) co_return;
  }
}

class systemd final : public plugin {
  void start() override {
    on("configured", take_socket);
    on("ready", tell_ready);
    on("draining", tell_stopping);
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) > 0)
      background().spawn(keep_watched(std::chrono::microseconds(microseconds / 2)));
  }
};

}  // namespace

BERTH_DEFINE_PLUGIN(systemd, "systemd", "1.0.0")
