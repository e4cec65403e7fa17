#include <berth/service/service.hpp>

#include <csignal>
#include <cstdlib>
#include <numeric>

#include <berth/base/log.hpp>
#include <berth/base/secret.hpp>
#include <berth/config/directory.hpp>
#include <berth/config/environment.hpp>
#include <berth/coro/shield.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/discovery/async.hpp>
#include <berth/discovery/ensure.hpp>
#include <berth/io/open_file_limit.hpp>
#include <berth/io/signal_set.hpp>
#include <berth/service/arguments.hpp>
#include <berth/service/endpoint_listener.hpp>
#include <berth/service/view_of_plugins.hpp>

namespace berth {
namespace {

constexpr std::size_t files_beside_connections = 256;

task<> refuse_connection(tcp_stream) { co_return; }

/// Whether `other` says that it took the place of `ours`.
bool replaces(const std::optional<record>& other, const record& ours) {
  if (!other) return false;
  const auto told = other->metadata.find("replaces");
  return told != other->metadata.end() && told->second == ours.instance_id;
}

void set_log_level(const service_arguments& arguments, const std::string& application) {
  if (arguments.log_level) {
    log::set_level(*arguments.log_level);
    return;
  }
  const auto named = variable(application, "LOG");
  if (!named) return;
  if (const auto level = log::parse_level(*named))
    log::set_level(*level);
  else
    throw invalid_value(fmt::format("{} must be off, error, warning, info or debug, got \"{}\"",
                                    variable_name(application, "LOG"), *named));
}

}  // namespace

service::service(std::string application, std::string version)
    : version_(std::move(version)),
      handler_(refuse_connection),
      where_(std::move(application), std::filesystem::path()) {}

service::~service() = default;

int service::run(int argc, const char* const* argv) {
  const auto arguments = parse_arguments(argc, argv, where_.server_name(), version_);
  if (arguments.exit_status) return *arguments.exit_status;
  log::set_name(where_.server_name());
  try {
    set_log_level(arguments, where_.application);
#ifdef SIGPIPE
    std::signal(SIGPIPE, SIG_IGN);
#endif
    overrides given;
    given.config_dir = arguments.config_dir;
    given.instance = arguments.instance;
    if (arguments.require_token) require_token();
    for (const auto& each : arguments.plugins) load_plugin(each.path, each.values);
    given.host = arguments.host;
    given.port = arguments.port;
    event_loop loop;
    loop.run(serve(std::move(given)));
    return EXIT_SUCCESS;
  } catch (const already_running& other) {
    log::error("{}", other.what());
    return 4;
  } catch (const std::exception& failed) {
    log::error("{}", failed.what());
    return EXIT_FAILURE;
  }
}

task<> service::serve(overrides given) {
  std::exception_ptr failed;
  try {
    co_await live(std::move(given));
  } catch (...) {
    failed = std::current_exception();
    workers_.clear();  // none was started
    for (auto& each : endpoints_) each->listener.reset();
  }
  if (plugins_) co_await shield(stop_plugins());
  loop_ = nullptr;
  if (failed) std::rethrow_exception(failed);
}

task<> service::live(overrides given) {
  const auto here = co_await current_context();
  loop_ = &event_loop::of(here);
  draining_.reset();
  why_stopped_ = stop_reason::none;

  std::optional<signal_set> signals;
  if (given.catch_signals)
    signals.emplace(*loop_.load(), std::initializer_list<int>{SIGTERM, SIGINT});
  configure(given);
  start_plugins();
  co_await hooks_.configured.fire_or_throw(settings_, where_);
  validate(settings_);
  // Out of descriptors, libuv drops whom it cannot accept.
  allow_open_files(static_cast<std::size_t>(settings_.max_connections) + files_beside_connections);
  auto listener = co_await bind();
  co_await hooks_.bound.fire_or_throw(listener.bound());
  auto published = co_await publish(listener);
  co_await serve_until_stopped(listener, published, signals ? &*signals : nullptr);
  co_await hooks_.stopped.fire();
}

void service::configure(const overrides& given) {
  where_ = location(where_.application, config_directory(where_.application, given.config_dir),
                    given.instance.empty() ? std::string(default_instance) : given.instance);
  token_ = token_required_ ? random_token() : std::string();
  settings_ = load_settings(where_.application, where_.directory);
  if (given.host) settings_.host = *given.host;
  if (given.port) settings_.port = *given.port;
}

task<publication> service::publish(const tcp_listener& listener) {
  auto server = describe_this_process(settings_.host, listener.bound().port, version_);
  server.scheme = scheme_;
  server.token = token_;
  for (auto& each : endpoints_)
    server.endpoints[each->name] = {settings_.host, each->listener->bound().port, each->scheme};
  co_await hooks_.publishing.fire_or_throw(server);
  claim_options options;
  options.strategy = liveness_;
  if (const char* const replaced = std::getenv(replaces_variable)) options.replaces = replaced;
  if (!options.replaces.empty()) server.metadata["replaces"] = options.replaces;
  auto published = co_await publication::publish(where_, std::move(server), std::move(options));
  if (const auto& stale = published.found_stale()) {
    co_await hooks_.stale_found.fire(*stale);
  }
  published.count_in(counters_.publishes);
  co_await hooks_.published.fire(published.server());
  log::write_line(fmt::format("{} listening on {} (port file {})", where_.server_name(),
                              url_of(scheme_, settings_.host, listener.bound().port),
                              where_.port_file().string()));
  co_return published;
}

task<> service::serve_until_stopped(tcp_listener& listener, publication& published,
                                    signal_set* signals) {
  const auto here = co_await current_context();
  // What runs on while the service stops is stopped by the service alone.
  execution_context until_drained;
  until_drained.loop = here.loop;
  connections open(until_drained, *rules_);
  open_ = &open;
  for (auto& each : workers_) each->start();
  for (auto& each : endpoints_) each->open.emplace(until_drained, *each->rules);
  scope tasks(until_drained);
  if (signals) tasks.spawn(obey(*signals));
  {
    scope serving(here);
    serving.spawn(open.accept_from(listener));
    for (auto& each : endpoints_) serving.spawn(each->open->accept_from(*each->listener));
    serving.spawn(published.keep([this, &published](const already_running& other) {
      if (replaces(other.server(), published.server()))
        log::info("handing over to PID {}", other.server()->pid);
      else
        log::error("{}", other.what());
      begin_to_stop(stop_reason::requested);
    }));
    const std::chrono::milliseconds idle = settings_.idle_shutdown_secs > 0
                                               ? std::chrono::seconds(settings_.idle_shutdown_secs)
                                               : idle_shutdown_;
    if (idle.count() > 0) serving.spawn(stop_when_idle(*rules_->all, idle));
    co_await hooks_.ready.fire();
    const auto stopped = co_await draining_.wait();
    if (!stopped) begin_to_stop(stopped.reason());
    serving.cancel(why_stopped_);
    co_await serving.join();
  }
  co_await shield(drain(listener, published, open));
  tasks.cancel(stop_reason::shutdown);
  co_await tasks.join();
  for (auto& each : endpoints_) each->open.reset();
  open_ = nullptr;
}

task<> service::drain(tcp_listener& listener, publication& published, connections& open) {
  const auto here = co_await current_context();
  const auto now = here.loop->now();
  const drain_plan plan{drain_times_.quiet, deadline::after(now, drain_times_.soft),
                        deadline::after(now, drain_times_.soft + drain_times_.hard)};
  ++counters_.drains;
  co_await hooks_.draining.fire(why_stopped_);
  try {
    co_await published.remove();
  } catch (const error& failed) {
    log::error("{}", failed.what());
  }
  co_await hooks_.unpublished.fire();
  for (auto& each : workers_) each->drain(plan);
  std::size_t left = co_await drain_all(listener, open, plan);
  for (auto& each : workers_) {
    const std::size_t of_worker = co_await each->drained();
    left += of_worker;
  }
  if (left > 0) {
    log::error("{} connections do not end; exiting without them", left);
    std::_Exit(EXIT_FAILURE);
  }
  workers_.clear();
}

/// All listeners at once, so that each hears who is on the way.
task<std::size_t> service::drain_all(tcp_listener& listener, connections& open, drain_plan plan) {
  std::vector<task<std::size_t>> drains;
  drains.push_back(open.drain(listener, plan));
  for (auto& each : endpoints_) drains.push_back(each->open->drain(*each->listener, plan));
  const auto left = co_await when_all(std::move(drains));
  co_return std::accumulate(left.begin(), left.end(), std::size_t{0});
}

task<> service::obey(signal_set& signals) {
  const auto first = co_await signals.next();
  if (!first) co_return;
  log::debug("stopping for signal {}", *first);
  begin_to_stop(stop_reason::requested);
  const auto second = co_await signals.next();
  if (!second) co_return;
  log::warning("cancelling connections for a second signal");
  open_->cancel();
  for (auto& each : endpoints_) each->open->cancel();
  for (auto& each : workers_) each->cancel();
}

task<> service::stop_when_idle(activity& connected, std::chrono::milliseconds after) {
  const auto here = co_await current_context();
  for (;;) {
    const auto idle = co_await connected.idle().wait();
    if (!idle) co_return;
    const auto busy = co_await connected.busy().wait(deadline::after(here.loop->now(), after));
    if (busy) continue;
    if (!busy.timed_out()) co_return;
    log::info("stopping after {} ms without a connection", after.count());
    begin_to_stop(stop_reason::requested);
    co_return;
  }
}

void service::begin_to_stop(stop_reason why) {
  if (draining_.is_set()) return;
  why_stopped_ = why;
  draining_.set();
  for (auto& each : workers_) each->begin_to_stop();
}

event& service::draining() noexcept {
  const auto here = std::this_thread::get_id();
  for (auto& each : workers_)
    if (each->thread() == here) return each->draining();
  return draining_;
}

void service::stop(stop_reason why) {
  if (event_loop* const loop = loop_.load()) loop->submit([this, why] { begin_to_stop(why); });
}

}  // namespace berth
