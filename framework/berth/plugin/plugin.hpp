// Plugins in C++, with coroutines: derive from plugin, and name the class once in the shared object
// by BERTH_DEFINE_PLUGIN. Link berth and the service's libuv; the service may be built by another
// compiler. Everything happens on the thread of the service's loop: a hook of connections is
// refused where another thread serves them.
//
//   class greeter final : public berth::plugin {
//     void start() override {
//       on("publishing", [](berth::plugin_event event) { return greet(event); });
//     }
//   };
//   BERTH_DEFINE_PLUGIN(greeter, "greeter", "1.0.0")
#pragma once

#define BERTH_PLUGIN
#include <berth/plugin/plugin.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <berth/base/exception_message.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/root_task.hpp>
#include <berth/coro/scope.hpp>
#include <berth/io/event_loop.hpp>

namespace berth {

/// The event that a hook is called for. Valid until its task has ended or is cancelled.
class plugin_event {
 public:
  plugin_event(berth_event* event, const berth_host_functions& functions)
      : event_(event), functions_(&functions) {}

  /// See berth_host_functions::text; empty if there is none.
  std::string text(const char* name) const {
    const char* const found = functions_->text(event_, name);
    return found ? found : "";
  }
  bool set_metadata(const std::string& name, const std::string& value) const {
    return functions_->set_metadata(event_, name.c_str(), value.c_str()) != 0;
  }
  bool set_endpoint(const std::string& name, const std::string& host, std::uint16_t port,
                    const std::string& scheme) const {
    return functions_->set_endpoint(event_, name.c_str(), host.c_str(), port, scheme.c_str()) != 0;
  }
  bool use_listener(int descriptor) const {
    return functions_->use_listener(event_, descriptor) != 0;
  }

 private:
  berth_event* event_;
  const berth_host_functions* functions_;
};

class plugin {
 public:
  using hook = std::function<task<>(plugin_event)>;

  virtual ~plugin() = default;

 protected:
  /// Registers hooks, reads settings. If it throws, the plugin is refused.
  virtual void start() = 0;
  /// Called when its hooks and its background tasks have ended; nothing of the plugin is called
  /// after it.
  virtual task<> stop() { co_return; }

  void on(const char* point, hook called, int priority = 0,
          std::chrono::milliseconds within = std::chrono::seconds(5));
  /// Tasks that run until the plugin stops; they are cancelled then.
  scope& background() noexcept { return *background_; }
  event_loop& loop() noexcept { return *loop_; }
  /// Empty if none was given.
  std::string setting(const char* name) const {
    const char* const found = functions_->setting(host_, name);
    return found ? found : "";
  }
  void log(berth_log_level level, const std::string& message) const {
    functions_->log(host_, level, message.c_str());
  }
  berth_counters counters() const {
    berth_counters all{};
    all.size = sizeof all;
    functions_->counters(host_, &all);
    return all;
  }

 private:
  template <typename Plugin>
  friend class plugin_entry;
  struct registered {
    plugin* owner;
    hook called;
  };
  class running;

  void attach(berth_host* host, const berth_host_functions* functions) {
    host_ = host;
    functions_ = functions;
    loop_ = std::make_unique<event_loop>(*functions->loop(host));
    background_.emplace(loop_->context());
  }
  static void call(void* user, berth_event* event);
  static task<> end(plugin* ending) {
    ending->background_->cancel(stop_reason::shutdown);
    co_await ending->background_->join();
    ending->last_call_.reset();
    if (ending->calls_ == 0) ending->last_call_.set();
    const auto none = co_await ending->last_call_.wait();
    (void)none;
    co_await ending->stop();
  }
  void begin_to_stop() {
    const auto ended = [this] {
      // Not while its own task is on the stack.
      loop_->submit([this] {
        berth_host* const host = host_;
        const auto stopped = functions_->stopped;
        delete this;
        stopped(host);
      });
    };
    ending_.emplace(end(this), ended);
    ending_->start(loop_->context());
  }

  berth_host* host_ = nullptr;
  const berth_host_functions* functions_ = nullptr;
  const std::thread::id thread_ = std::this_thread::get_id();
  std::unique_ptr<event_loop> loop_;
  std::optional<scope> background_;
  std::vector<std::unique_ptr<registered>> hooks_;
  std::size_t calls_ = 0;  // calls of hooks that have not ended
  event last_call_;
  std::optional<root_task<void>> ending_;
};

/// One call of a hook, until its task has ended.
class plugin::running final : private ready_item {
 public:
  static void begin(plugin& of, berth_event* event, const hook& called) {
    const berth_host_functions& functions = *of.functions_;
    auto* const made = new running(of, event, called(plugin_event(event, functions)));
    ++of.calls_;
    functions.defer(event);
    functions.on_cancel(
        event,
        [](void* user) { static_cast<running*>(user)->stop_.request_stop(stop_reason::deadline); },
        made);
    made->task_.start({of.loop_.get(), made->stop_.token()});
  }

 private:
  running(plugin& of, berth_event* event, task<> calls)
      : of_(of), event_(event), task_(std::move(calls), [this] { of_.loop_->post(*this); }) {}

  // Not while the task is on the stack.
  void run() noexcept override {
    const berth_host_functions& functions = *of_.functions_;
    try {
      task_.take();
    } catch (...) {
      functions.fail(event_, exception_message().c_str());
    }
    functions.complete(event_);
    if (--of_.calls_ == 0) of_.last_call_.set();
    delete this;
  }

  plugin& of_;
  berth_event* event_;
  stop_source stop_;
  root_task<void> task_;
};

inline void plugin::on(const char* point, hook called, int priority,
                       std::chrono::milliseconds within) {
  hooks_.push_back(std::make_unique<registered>(registered{this, std::move(called)}));
  const auto id =
      functions_->add_hook(host_, point, priority, static_cast<std::uint32_t>(within.count()),
                           &plugin::call, hooks_.back().get());
  if (id == 0) throw std::invalid_argument("there is no hook point \"" + std::string(point) + "\"");
}

inline void plugin::call(void* user, berth_event* event) {
  const registered& hook = *static_cast<registered*>(user);
  plugin& self = *hook.owner;
  if (std::this_thread::get_id() != self.thread_) {
    self.functions_->fail(event, "a C++ plugin can do this only in a service with one thread");
    return;
  }
  try {
    running::begin(self, event, hook.called);
  } catch (...) {
    self.functions_->fail(event, exception_message().c_str());
  }
}

/// The C interface of one class.
template <typename Plugin>
class plugin_entry {
 public:
  static void* start(berth_host* host, const berth_host_functions* functions,
                     const char** failure) noexcept {
    static std::string why;
    try {
      auto made = std::make_unique<Plugin>();
      plugin& base = *made;
      base.attach(host, functions);
      base.start();
      made.release();
      return &base;
    } catch (...) {
      why = exception_message();
    }
    *failure = why.c_str();
    return nullptr;
  }
  static void stop(void* state) { static_cast<plugin*>(state)->begin_to_stop(); }
};

}  // namespace berth

#define BERTH_DEFINE_PLUGIN(Class, name, version)                                 \
  extern "C" const berth_plugin* berth_plugin_entry(void) {                       \
    static constexpr berth_plugin entry = {BERTH_PLUGIN_INTERFACE, name, version, \
                                           &berth::plugin_entry<Class>::start,    \
                                           &berth::plugin_entry<Class>::stop};    \
    return &entry;                                                                \
  }
