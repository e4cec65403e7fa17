#include <berth/service/running_service.hpp>

#include <csignal>
#include <cstdlib>

#include <fmt/format.h>

#include <berth/base/exception_message.hpp>
#include <berth/base/log.hpp>
#include <berth/config/directory.hpp>
#include <berth/coro/shield.hpp>
#include <berth/discovery/hand_over.hpp>
#include <berth/discovery/start_request.hpp>
#include <berth/io/open_file_limit.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/service/started_log.hpp>
#include <berth/service/stop_signal.hpp>

namespace berth {
namespace {

constexpr std::size_t files_beside_connections = 256;
constexpr std::size_t files_to_publish_and_accept = 5;

/// The same loop, without the stop token.
execution_context never_stopped(const execution_context& here) {
  execution_context context;
  context.loop = here.loop;
  return context;
}

}  // namespace

running_service::running_service(event_loop& loop, service_options options,
                                 service_overrides overrides, const service_parts& parts,
                                 bool owns_process)
    : loop_(loop),
      options_(std::move(options)),
      overrides_(std::move(overrides)),
      owns_process_(owns_process),
      hooks_(parts.hooks),
      token_(parts.token),
      place_(options_.application, std::filesystem::path()),
      listeners_(loop, options_, hooks_),
      plugins_(place_, listeners_, hooks_),
      end_(parts.draining, [this](stop_reason why) { stop_parts(why); }),
      inbox_(parts.stop, loop, [this](stop_reason why) { end_.begin(why); }) {}

void running_service::stop_parts(stop_reason why) {
  listeners_.workers().begin_to_stop();
  background_.cancel(why);
}

task<> running_service::run() {
  const auto here = co_await current_context();
  scope helpers(never_stopped(here));
  std::optional<signal_set> signals;
  try {
    if (overrides_.catch_signals) {
      signals.emplace(loop_, std::initializer_list<int>{SIGTERM, SIGINT});
      helpers.spawn(end_.essential(obey(*signals)));
    }
    co_await live();
  } catch (...) {
    end_.fail(std::current_exception());
  }
  helpers.cancel(stop_reason::shutdown);
  co_await helpers.join();
  co_await shield(background_.ended());
  co_await shield(end_workers());
  listeners_.close();
  co_await shield(plugins_.stop());
  end_.rethrow_failure();
}

task<> running_service::live() {
  configure();
  plugins_.start(loop_, settings_.plugins, options_.plugins);
  co_await hooks_.configured.fire_or_throw(settings_, place_);
  validate(settings_);
  if (owns_process_)
    allow_open_files(static_cast<std::size_t>(settings_.max_connections) +
                     files_beside_connections);
  if (end_.has_begun()) co_return;
  co_await listeners_.bind(settings_, place_, plugins_.listener(), end_);
  co_await hooks_.bound.fire_or_throw(listeners_.bound());
  listeners_.workers().start();
  if (end_.has_begun()) co_return;
  refuse_without_descriptors();
  auto published = co_await publish();
  co_await serve_until_stopped(published);
  co_await hooks_.stopped.fire();
}

void running_service::configure() {
  refuse_unchecked_token();
  auto directory = overrides_.config_dir;
  auto instance = overrides_.instance;
  if (directory.empty() && instance.empty()) take_start_request().complete(directory, instance);
  place_ = location(options_.application, config_directory(options_.application, directory),
                    instance.empty() ? std::string(default_instance) : instance);
  token_.renew(options_.requires_token);
  for (const auto& each : options_.own) each->value = each->initial;
  settings_ = load_settings(place_.application, place_.directory, &options_.own);
  for (const auto& [key, text] : overrides_.options) set_option(key, text);
  if (overrides_.host) settings_.host = *overrides_.host;
  if (overrides_.port) settings_.port = *overrides_.port;
}

void running_service::set_option(const std::string& key, const std::string& text) const {
  for (const auto& each : options_.own) {
    if (each->key != key) continue;
    auto value = parse_option(each->initial, text);
    if (!value)
      throw invalid_value(
          fmt::format("{} must be {}, got \"{}\"", key, type_name(each->initial), text));
    each->value = std::move(*value);
    return;
  }
  throw invalid_value(fmt::format("{} has no option \"{}\"", place_.server_name(), key));
}

void running_service::refuse_unchecked_token() const {
  if (!options_.requires_token) return;
  std::string handler = options_.checked == token_check::nobody ? "its connections" : "";
  for (const auto& each : options_.endpoints)
    if (each.checked == token_check::nobody) handler = "its endpoint \"" + each.name + '"';
  if (handler.empty()) return;
  throw invalid_value(fmt::format(
      "{} cannot require a token: the handler of {} does not check one, so anybody would be "
      "served. Start it without a required token, or let the handler check "
      "(service::token_matches) and say so (token_check::by_handler)",
      place_.server_name(), handler));
}

void running_service::refuse_without_descriptors() {
  if (can_open_files(loop_, files_to_publish_and_accept)) return;
  throw error(fmt::format("{} open files are too few to serve: raise the limit (see ulimit -n)",
                          most_open_files()),
              std::make_error_code(std::errc::too_many_files_open));
}

record running_service::describe() const {
  auto server = describe_this_process(settings_.host, listeners_.bound().port, options_.version);
  server.scheme = options_.scheme;
  server.token = token_.text();
  listeners_.describe(server, settings_.host);
  return server;
}

task<publication> running_service::publish() {
  auto server = describe();
  co_await hooks_.publishing.fire_or_throw(server);
  claim_options options;
  options.strategy = options_.liveness;
  options.replaces = take_start_request().replaces;
  describe_hand_over(server, options.replaces);
  auto published = co_await publication::publish(place_, std::move(server), std::move(options));
  if (const auto& stale = published.found_stale()) {
    co_await hooks_.stale_found.fire(*stale);
  }
  published.count_in(listeners_.counters().publishes);
  co_await hooks_.published.fire(published.server());
  log::write_line(fmt::format("{} listening on {} (port file {})", place_.server_name(),
                              url_of(options_.scheme, settings_.host, listeners_.bound().port),
                              place_.port_file().string()));
  co_return published;
}

task<> running_service::serve_until_stopped(publication& published) {
  const auto here = co_await current_context();
  // A stop of the caller must not cancel connections: the drain does, at its deadlines.
  const auto until_drained = never_stopped(here);
  scope accepting(until_drained);
  listeners_.accept(until_drained, accepting, end_);
  scope keeping(here);
  keeping.spawn(end_.essential(keep(published)));
  keeping.spawn(end_.essential(stop_when_idle()));
  keeping.spawn(keep_log_bounded());
  co_await hooks_.ready.fire();
  plugins_.report_unread_settings();
  if (!end_.has_begun()) background_.start(until_drained, options_.background, end_);
  const auto stopped = co_await end_.draining().wait();
  if (!stopped) end_.begin(stopped.reason());
  keeping.cancel(end_.reason());
  co_await keeping.join();
  co_await shield(drain(published, accepting));
}

task<> running_service::keep(publication& published) {
  co_await published.keep([this, &published](const error& why, const already_running* other) {
    if (other && other->server() && has_replaced(*other->server(), published.server()))
      log::info("handing over to PID {}", other->server()->pid);
    else if (other)
      end_.fail(std::make_exception_ptr(*other));
    else
      log::error("{}", why.what());
    end_.begin(stop_reason::requested);
  });
}

task<> running_service::obey(signal_set& signals) {
  const auto here = co_await current_context();
  const auto first = co_await signals.next();
  if (!first) co_return;
  log::debug("stopping for signal {}", *first);
  end_.begin(stop_reason::requested);
  const auto same_request = deadline::after(here.loop->now(), one_stop_signal);
  do {
    const auto again = co_await signals.next();
    if (!again) co_return;
  } while (!same_request.passed(here.loop->now()));
  log::warning("cancelling connections for a second signal");
  listeners_.cancel();
}

task<> running_service::stop_when_idle() {
  const auto here = co_await current_context();
  activity& connected = listeners_.connected();
  const std::chrono::milliseconds after = settings_.idle_shutdown_secs > 0
                                              ? std::chrono::seconds(settings_.idle_shutdown_secs)
                                              : options_.idle_shutdown;
  while (after.count() > 0) {
    const auto idle = co_await connected.idle().wait();
    if (!idle) co_return;
    const auto busy = co_await connected.busy().wait(deadline::after(here.loop->now(), after));
    if (busy) continue;
    if (!busy.timed_out()) co_return;
    log::info("stopping after {} ms without a connection", after.count());
    end_.begin(stop_reason::requested);
    co_return;
  }
}

task<> running_service::drain(publication& published, scope& accepting) {
  const auto here = co_await current_context();
  const auto begun = here.loop->now();
  ++listeners_.counters().drains;
  co_await hooks_.draining.fire(end_.reason());
  co_await unpublish(published, accepting);
  co_await hooks_.unpublished.fire();
  const auto& times = options_.drain;
  const drain_plan plan{times.quiet, deadline::after(here.loop->now(), times.idle),
                        deadline::after(begun, times.soft),
                        deadline::after(begun, times.soft + times.hard)};
  const std::size_t left = co_await listeners_.drain(plan);
  give_up_on(left, "connections");
  co_await end_background(plan.hard);
  co_await listeners_.ended();
  co_await end_workers();
}

// Accepts until the port file is removed, because clients may still find it.
task<> running_service::unpublish(publication& published, scope& accepting) {
  try {
    co_await published.remove();
  } catch (...) {
    log::error("{}", exception_message());
  }
  accepting.cancel(end_.reason());
  co_await accepting.join();
}

task<> running_service::end_background(deadline until) {
  const std::size_t left = co_await background_.left_at(until);
  if (left > 0)
    for (const auto& each : loop_.live_tasks()) log::error("still running: {}", each);
  give_up_on(left, "background tasks");
  co_await background_.ended();
}

/// Drains at once the workers that have not drained yet, and joins them.
task<> running_service::end_workers() {
  const auto here = co_await current_context();
  worker_group& workers = listeners_.workers();
  workers.drain_now(here.loop->now());
  const std::size_t left = co_await workers.drained();
  give_up_on(left, "connections");
  co_await workers.ended();
}

/// Ends the process if the run owns it; otherwise only logs, and the caller waits for what is left.
void running_service::give_up_on(std::size_t left, std::string_view what) {
  if (left == 0) return;
  if (!owns_process_) {
    log::error("{} that do not end: {}; waiting for them", what, left);
    return;
  }
  log::error("{} that do not end: {}; exiting without them", what, left);
  std::_Exit(EXIT_FAILURE);
}

}  // namespace berth
