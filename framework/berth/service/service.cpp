#include <berth/service/service.hpp>

#include <cstdlib>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/exception_message.hpp>
#include <berth/base/log.hpp>
#include <berth/base/standard_descriptors.hpp>
#include <berth/config/environment.hpp>
#include <berth/discovery/start_request.hpp>
#include <berth/service/arguments.hpp>
#include <berth/service/running_service.hpp>

namespace berth {
namespace {

task<> refuse_connection(tcp_stream) { co_return; }

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

/// Sets the pointer while it exists.
class pointer_set {
 public:
  pointer_set(running_service*& pointer, running_service& to) : pointer_(pointer) {
    pointer_ = &to;
  }
  pointer_set(const pointer_set&) = delete;
  pointer_set& operator=(const pointer_set&) = delete;
  ~pointer_set() { pointer_ = nullptr; }

 private:
  running_service*& pointer_;
};

}  // namespace

service::service(std::string application, std::string version) {
  options_.application = location(std::move(application), std::filesystem::path()).application;
  options_.version = std::move(version);
  options_.handler = refuse_connection;
}

service::~service() = default;

void service::listen(std::string name, connection_handler handler, std::string scheme,
                     token_check checked) {
  if (!is_plain_name(name))
    throw invalid_value(fmt::format(
        "\"{}\" is not a valid endpoint name: use letters, digits, \".\", \"_\" and \"-\"", name));
  options_.endpoints.push_back({std::move(name), std::move(scheme), std::move(handler), checked});
}

void service::load_plugin(std::filesystem::path path, std::map<std::string, std::string> values) {
  options_.plugins.push_back({std::move(path), std::move(values)});
}

void service::background(std::function<task<>()> start, std::string name) {
  options_.background.push_back({std::move(name), std::move(start)});
}

std::shared_ptr<declared_option> service::declare(std::string key, std::string help,
                                                  option_value by_default) {
  const std::string& table = options_.application;
  if (table == "server" || table == "plugin" || table == "registry")
    throw invalid_value(fmt::format(
        "an application named \"{0}\" cannot have options of its own, because [{0}] in config.toml "
        "is berth's",
        table));
  // BERTH_APP and others, which berth reads whatever the application.
  for (const std::string_view variable : {"app", "list_dir", "publish", "replaces", "start_log"})
    if (table == "berth" && key == variable)
      throw invalid_value(fmt::format("\"{}\" cannot be an option of the application berth", key));
  auto made =
      std::make_shared<declared_option>(std::move(key), std::move(help), std::move(by_default));
  for (const auto& each : options_.own)
    if (each->key == made->key)
      throw invalid_value(fmt::format("the option \"{}\" is declared twice", made->key));
  options_.own.push_back(made);
  return made;
}

int service::run(int argc, const char* const* argv) try {
  reserve_standard_descriptors();
  const std::string name = options_.application + "-server";
  auto arguments = parse_arguments(argc, argv, name, options_.version, options_.own);
  if (arguments.exit_status) return *arguments.exit_status;
  log::set_name(name);
  log::set_timestamps(true);
  set_log_level(arguments, options_.application);
  service_options options = options_;
  if (arguments.require_token) options.requires_token = true;
  for (auto& each : arguments.plugins) options.plugins.push_back(std::move(each));
  overrides given;
  given.config_dir = arguments.config_dir;
  given.instance = arguments.instance;
  take_start_request().complete(given.config_dir, given.instance);
  given.host = arguments.host;
  given.port = arguments.port;
  given.options = std::move(arguments.options);
  given.catch_signals = true;
  event_loop loop;
  loop.run(run_once(std::move(given), std::move(options), true));
  return EXIT_SUCCESS;
} catch (const already_running& other) {
  log::error("{}", other.what());
  return 4;
} catch (...) {
  log::error("{}", exception_message());
  return EXIT_FAILURE;
}

task<> service::serve(overrides given) {
  service_options options = options_;
  auto running = run_once(std::move(given), std::move(options), false);
  co_await std::move(running);
}

task<> service::run_once(overrides given, service_options options, bool owns_process) {
  const auto here = co_await current_context();
  const service_parts parts{hooks_, token_, draining_, stop_};
  running_service running(event_loop::of(here), std::move(options), std::move(given), parts,
                          owns_process);
  const pointer_set seen(running_, running);
  co_await running.run();
}

event& service::draining() noexcept {
  event* const of_worker = running_ ? running_->draining_here() : nullptr;
  return of_worker ? *of_worker : draining_;
}

}  // namespace berth
