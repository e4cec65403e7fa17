// A server of one workspace: binds a port, publishes it, serves connections until it is told to
// stop, and leaves without a trace or a lost request.
//
//   berth::service service("echo", "1.0.0");
//   service.on_connection(echo);
//   return service.run(argc, argv);
//
// The service must outlive its run. Everything belongs to the thread that calls run; only stop may
// be called from any, and more threads serve only where threads() asks for them. Stopping: the port
// file goes first; connections on their way are still accepted; those in flight may end by
// themselves until the soft deadline, are cancelled then, and the process gives up on them at the
// hard one.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <berth/config/settings.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/task.hpp>
#include <berth/discovery/liveness.hpp>
#include <berth/discovery/location.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/signal_set.hpp>
#include <berth/service/connections.hpp>
#include <berth/service/hooks.hpp>
#include <berth/service/publication.hpp>
#include <berth/service/worker.hpp>

namespace berth {

struct drain_times {
  drain_times() = default;
  std::chrono::milliseconds quiet{100};    ///< no new connection for so long: nobody is on the way
  std::chrono::milliseconds soft{10'000};  ///< connections may end by themselves
  std::chrono::milliseconds hard{5'000};   ///< after the soft one: cancelled ones must have ended
};

class service {
 public:
  /// `application` names the directory (.echo), the variables (ECHO_…) and the server
  /// ("echo-server").
  service(std::string application, std::string version);
  ~service();

  /// What serves one connection; the connection ends with it.
  void on_connection(connection_handler handler) { handler_ = std::move(handler); }
  /// One more listener, on a port that the system picks, published as an endpoint of that name.
  void listen(std::string name, connection_handler handler, std::string scheme = "http");
  /// Publishes a random token: handlers serve only who brings it. Checking it is theirs: see
  /// same_secret.
  void require_token() { token_required_ = true; }
  /// The token; empty where none is required, and until the service serves.
  const std::string& token() const noexcept { return token_; }
  /// In the place of idle_shutdown_secs, where that is not configured. Never unless set.
  void set_idle_shutdown(std::chrono::milliseconds after) { idle_shutdown_ = after; }
  /// What clients speak to it; part of the published URL. "http" unless set.
  void set_scheme(std::string scheme) { scheme_ = std::move(scheme); }
  /// Serves on that many threads, each with a loop of its own behind the same port, between which
  /// the system spreads the connections; max_connections is divided among them. The handler and
  /// the hooks of connections are then called on any of them, at the same time. One unless set.
  void threads(std::size_t count) { threads_ = std::max<std::size_t>(count, 1); }
  /// Loads that plugin when the service starts, after those of config.toml: see plugin.h. The start
  /// fails, naming it, where it cannot be used.
  void load_plugin(std::filesystem::path path, std::map<std::string, std::string> values = {}) {
    wanted_plugins_.push_back({std::move(path), std::move(values)});
  }
  /// How a server that was there before is judged; must outlive the service.
  void set_liveness(const liveness_strategy& strategy) { liveness_ = &strategy; }
  void set_drain_times(drain_times times) { drain_times_ = times; }
  service_hooks& hooks() noexcept { return hooks_; }

  /// The whole life with the arguments of a command line, on a loop of its own. Returns the exit
  /// status: 0 done, 1 an error, 2 wrong usage, 4 another server is live. Ignores SIGPIPE.
  int run(int argc, const char* const* argv);

  /// The same within a loop that runs already. `given` takes the place of the search for a
  /// directory; a setting that is not given comes from its configuration. Throws what failed.
  struct overrides {
    overrides() = default;
    std::filesystem::path config_dir;
    std::string instance;  ///< "server" where empty
    std::optional<std::string> host;
    std::optional<std::int64_t> port;
    bool catch_signals = true;  ///< SIGTERM and SIGINT stop the service
  };
  task<> serve(overrides given);

  /// From any thread. The first request counts.
  void stop(stop_reason why = stop_reason::requested);
  /// Set when the service begins to stop: a handler that waits for a next request may end then.
  /// On the calling thread, if that is one of the service's.
  event& draining() noexcept;

 private:
  task<> live(overrides given);
  struct endpoint_listener;
  struct view_of_plugins;

  void start_plugins();
  task<> stop_plugins();

  void configure(const overrides& given);
  task<tcp_listener> bind();
  tcp_listener listen_on(const endpoint& at);
  tcp_listener listen_on_given(int socket);
  void make_rules(event_loop& loop);
  void listen_for_endpoints(const std::string& host);
  task<publication> publish(const tcp_listener& listener);
  task<> serve_until_stopped(tcp_listener& listener, publication& published, signal_set* signals);
  task<> drain(tcp_listener& listener, publication& published, connections& open);
  task<std::size_t> drain_all(tcp_listener& listener, connections& open, drain_plan plan);
  task<> obey(signal_set& signals);
  task<> stop_when_idle(activity& connected, std::chrono::milliseconds after);
  void begin_to_stop(stop_reason why);

  std::string version_;
  std::string scheme_ = "http";
  bool token_required_ = false;
  std::string token_;
  std::chrono::milliseconds idle_shutdown_{0};
  connection_handler handler_;
  service_hooks hooks_;
  const liveness_strategy* liveness_ = &default_liveness();
  drain_times drain_times_;
  location where_;
  server_settings settings_;

  std::atomic<event_loop*> loop_ = nullptr;
  std::size_t threads_ = 1;
  std::unique_ptr<activity> all_;
  std::optional<connection_rules> rules_;
  std::vector<std::unique_ptr<worker>> workers_;  // the threads but this one
  std::vector<std::unique_ptr<endpoint_listener>> endpoints_;
  std::vector<plugin_settings> wanted_plugins_;
  std::unique_ptr<view_of_plugins> plugins_;  // while there are any
  std::optional<int> listening_;              // the socket that a plugin gave
  service_counters counters_;
  connections* open_ = nullptr;
  event draining_;
  stop_reason why_stopped_ = stop_reason::none;
};

}  // namespace berth
