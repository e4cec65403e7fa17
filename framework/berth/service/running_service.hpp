// One run of a service, a local of serve: the order in which its parts start and end. On the loop's
// thread, except draining_here. Private to service/.
//
// A stop may be requested at any moment; run ends the parts that have started by then.
#pragma once

#include <berth/io/signal_set.hpp>
#include <berth/service/background_tasks.hpp>
#include <berth/service/client_token.hpp>
#include <berth/service/publication.hpp>
#include <berth/service/service_plugins.hpp>
#include <berth/service/stop_inbox.hpp>

namespace berth {

/// What a run takes from the service object and shares with it.
struct service_parts {
  service_hooks& hooks;
  client_token& token;
  event& draining;
  const stop_handle& stop;
};

class running_service {
 public:
  /// `owns_process`: the run may end the process, and raise its limits.
  running_service(event_loop& loop, service_options options, service_overrides overrides,
                  const service_parts& parts, bool owns_process);
  running_service(const running_service&) = delete;
  running_service& operator=(const running_service&) = delete;

  /// Runs from the configuration to the end of the last connection. Rethrows the exception that
  /// ended the run.
  task<> run();

  /// The event of the calling thread if that is a worker's, else null.
  event* draining_here() const noexcept { return listeners_.workers().draining_here(); }

 private:
  void stop_parts(stop_reason why);
  task<> live();
  void configure();
  void set_option(const std::string& key, const std::string& text) const;
  void refuse_unchecked_token() const;
  /// Throws berth::error if there are too few descriptors to serve; a service that found that out
  /// after publishing would reset every connection.
  void refuse_without_descriptors();
  task<publication> publish();
  record describe() const;
  task<> serve_until_stopped(publication& published);
  task<> keep(publication& published);
  task<> obey(signal_set& signals);
  task<> stop_when_idle();
  task<> drain(publication& published, scope& accepting);
  task<> unpublish(publication& published, scope& accepting);
  task<> end_background(deadline until);
  task<> end_workers();
  void give_up_on(std::size_t left, std::string_view what);

  event_loop& loop_;
  const service_options options_;
  const service_overrides overrides_;
  const bool owns_process_;
  service_hooks& hooks_;
  client_token& token_;
  location place_;
  server_settings settings_;
  service_listeners listeners_;
  service_plugins plugins_;
  background_tasks background_;
  run_end end_;
  stop_inbox inbox_;  // last: it may deliver a request at once
};

}  // namespace berth
