// The opaque types of plugin.h: the service as a plugin knows it, and one call of a hook. Private
// to service/.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <berth/coro/event.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/plugin/plugin_host.hpp>

struct berth_event {
  berth_event(berth_host& of, std::string_view at) : host(of), point(at) {}

  // Takes an argument of the hook.
  void concerns(berth::server_settings&) { configuring = true; }
  void concerns(const berth::location&) {}
  void concerns(const berth::endpoint& address);
  void concerns(berth::record& server);
  void concerns(const berth::record& server);
  void concerns(berth::stop_reason why);

  const char* text(const char* name);
  void complete();
  void fail(std::string_view reason);
  /// The hook ends before the event is completed; its arguments are no longer valid.
  void give_up();

  berth_host& host;
  std::string_view point;
  std::map<std::string, std::string> texts;
  bool configuring = false;
  berth::record* published = nullptr;  // while it may be changed

  bool deferred = false;
  bool ended = false;
  bool given_up = false;
  std::string failure;
  berth::event completed;
  berth_call on_cancel = nullptr;
  void* on_cancel_user = nullptr;
};

struct berth_host {
  berth_host(std::string of, const std::map<std::string, std::string>& given,
             berth::service_hooks& all, berth::plugin_services& service, berth::event_loop& runs)
      : name(std::move(of)), settings(given), hooks(all), services(service), loop(runs) {}

  std::string name;
  const std::map<std::string, std::string>& settings;
  berth::service_hooks& hooks;
  berth::plugin_services& services;
  berth::event_loop& loop;
  void* state = nullptr;
  std::set<std::string, std::less<>> settings_read;

  std::vector<std::pair<std::uint64_t, std::function<void()>>> removals;
  std::uint64_t last_id = 0;
  berth::event stopped;

  // Events that are not completed yet, including those whose hooks were given up.
  std::mutex mutex;
  std::vector<std::shared_ptr<berth_event>> open;

  void remove_hooks() {
    for (auto& each : removals) each.second();
    removals.clear();
  }
  void keep(std::shared_ptr<berth_event> one) {
    const std::scoped_lock lock(mutex);
    open.push_back(std::move(one));
  }
  void drop(const berth_event* one) {
    const std::scoped_lock lock(mutex);
    std::erase_if(open, [one](const auto& each) { return each.get() == one; });
  }
};

namespace berth {

extern const berth_host_functions plugin_functions;

}  // namespace berth
