// A server of one workspace: binds a port, publishes it, serves connections until it is told to
// stop, and leaves without a trace or a lost request.
//
//   berth::service service("echo", "1.0.0");
//   service.on_connection(echo);
//   return service.run(argc, argv);
//
// The service must outlive its run. Everything belongs to the thread that calls run; only stop may
// be called from any, and more threads serve only if threads() asks for them. Stopping: the port
// file goes first; connections on their way are still accepted; those without a request are ended
// soon; those in flight may end by themselves until the soft deadline and are cancelled then. At
// the hard deadline, run ends the process without the connections that are left; serve, which does
// not own the process, logs how many are left and waits for them.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <berth/base/log.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/task.hpp>
#include <berth/plugin/hooks.hpp>
#include <berth/service/client_token.hpp>
#include <berth/service/service_option.hpp>
#include <berth/service/service_options.hpp>
#include <berth/service/stop_handle.hpp>
#include <berth/service/stop_signal.hpp>

namespace berth {

class running_service;

class service {
 public:
  /// `application` names the directory (.echo), the variables (ECHO_…) and the server
  /// ("echo-server").
  service(std::string application, std::string version);
  service(const service&) = delete;
  service& operator=(const service&) = delete;
  ~service();

  /// Sets the function that serves one connection; the connection ends with it.
  void on_connection(connection_handler handler, token_check checked = token_check::nobody) {
    options_.handler = std::move(handler);
    options_.checked = checked;
  }
  /// One more listener, on a port that the system picks, published as an endpoint of that name.
  void listen(std::string name, connection_handler handler, std::string scheme = "http",
              token_check checked = token_check::nobody);
  /// Work that lives as long as the service: `start` is called on its thread when it is ready; the
  /// task is cancelled when the service begins to drain, and joined before serve returns. An
  /// exception from it ends the service. The name is what a log calls a task that does not end.
  void background(std::function<task<>()> start, std::string name = "background task");
  /// A setting of the service's own: the default, else `key` of [<app>] in config.toml, else the
  /// variable <APP>_KEY, else --key on the command line. A string, a boolean, a whole number, a
  /// number, or milliseconds ("5s"). A value that does not parse stops the start. Throws
  /// invalid_value if the name is not valid, is used by berth, or was declared before.
  template <typename T>
  service_option<option_type_t<T>> option(std::string key, T by_default, std::string help) {
    using type = option_type_t<T>;
    return service_option<type>(
        declare(std::move(key), std::move(help), static_cast<type>(std::move(by_default))));
  }
  /// Publishes a random token that clients must present. How they present it depends on the
  /// protocol, so each handler checks it itself, by token_matches, and says so by
  /// token_check::by_handler; the service does not start while one of its handlers does not.
  void require_token() { options_.requires_token = true; }
  /// Whether a client that presents this text may be served; always true if no token is required.
  /// Its running time depends only on the length of the text. Thread-safe.
  bool token_matches(std::string_view presented) const noexcept {
    return token_.matches(presented);
  }
  /// The token; empty if none is required, and until the service serves.
  const std::string& token() const noexcept { return token_.text(); }
  /// Used if idle_shutdown_secs is not configured. Never unless set.
  void set_idle_shutdown(std::chrono::milliseconds after) { options_.idle_shutdown = after; }
  /// The protocol of its clients; part of the published URL. "http" unless set.
  void set_scheme(std::string scheme) { options_.scheme = std::move(scheme); }
  /// Serves on that many threads, each with a loop of its own behind the same port, between which
  /// the system spreads the connections; max_connections is divided among them. The handler and
  /// the hooks of connections are then called on any of them, at the same time. One unless set.
  void threads(std::size_t count) { options_.threads = count == 0 ? 1 : count; }
  /// Loads that plugin when the service starts, after those of config.toml: see plugin.h. If it
  /// cannot be used, the start fails and names it.
  void load_plugin(std::filesystem::path path, std::map<std::string, std::string> values = {});
  /// The strategy that judges a server which was there before; must outlive the service.
  void set_liveness(const liveness_strategy& strategy) { options_.liveness = &strategy; }
  void set_drain_times(drain_times times) { options_.drain = times; }
  service_hooks& hooks() noexcept { return hooks_; }

  /// Runs the service with the arguments of a command line, on its own loop. Returns the exit
  /// status: 0 success, 1 an error, 2 wrong usage, 4 another server is live. Ignores SIGPIPE, obeys
  /// SIGTERM and SIGINT (a second one cancels connections), and raises the limit of open files.
  int run(int argc, const char* const* argv);

  using overrides = service_overrides;
  /// Runs the service on a loop that runs already; neither ends nor changes the process. Rethrows
  /// the failure that ended the service.
  task<> serve(overrides given);

  /// Thread-safe, at any time in the life of this object. If the service is not running, its next
  /// run stops at once. The first request counts.
  void stop(stop_reason why = stop_reason::requested) { stop_.request(why); }
  /// A handle that stops this service from any thread, and may outlive it.
  stop_handle stopper() const { return stop_; }
  /// Set when the service begins to stop: a handler that waits for a next request may end then.
  /// On the calling thread, if that is one of the service's.
  event& draining() noexcept;

 private:
  std::shared_ptr<declared_option> declare(std::string key, std::string help,
                                           option_value by_default);
  task<> run_once(overrides given, service_options options, bool owns_process);

  service_options options_;
  service_hooks hooks_;
  client_token token_;
  event draining_;
  const stop_handle stop_;
  running_service* running_ = nullptr;  // while it runs
};

}  // namespace berth
