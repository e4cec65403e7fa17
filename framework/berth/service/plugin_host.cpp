#include <berth/service/plugin_host.hpp>

#include <algorithm>
#include <system_error>

#include <berth/base/log.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/io/shared_library.hpp>
#include <berth/service/plugin_event.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

constexpr auto time_to_stop = 5s;

/// Where it is; refused where it is no file, or others may write to it.
std::filesystem::path checked(const std::filesystem::path& path) {
  std::error_code failed;
  const auto found = std::filesystem::canonical(path, failed);
  if (failed) throw plugin_refused(path, failed.message());
  const auto status = std::filesystem::status(found, failed);
  if (failed || !std::filesystem::is_regular_file(status))
    throw plugin_refused(path, "it is not a file");
#ifndef _WIN32
  if ((status.permissions() & std::filesystem::perms::others_write) != std::filesystem::perms::none)
    throw plugin_refused(path,
                         "anybody may write to it; mend that with: chmod o-w " + found.string());
#endif
  return found;
}

}  // namespace

plugin_refused::plugin_refused(const std::filesystem::path& path, std::string_view why)
    : error(fmt::format("plugin {}: {}", path.string(), why),
            std::make_error_code(std::errc::invalid_argument)) {}

struct plugin_host::plugin {
  plugin(const plugin_settings& wanted, std::filesystem::path canonical)
      : path(std::move(canonical)), settings(wanted.values), library(path) {}

  std::filesystem::path path;
  std::map<std::string, std::string> settings;
  shared_library library;
  const berth_plugin* entry = nullptr;
  std::unique_ptr<berth_host> host;  // once it was started
};

// Code of theirs may run for as long as the process does.
std::vector<std::unique_ptr<plugin_host::plugin>>& plugin_host::left_loaded() {
  static auto* const all = new std::vector<std::unique_ptr<plugin>>;
  return *all;
}

plugin_host::plugin_host(service_hooks& hooks, plugin_services& services)
    : hooks_(hooks), services_(services) {}

plugin_host::~plugin_host() = default;

void plugin_host::load(const plugin_settings& wanted) {
  const auto path = checked(wanted.path);
  for (const auto& each : plugins_)
    if (each->path == path) throw plugin_refused(path, "it is loaded already");
  auto loaded = std::make_unique<plugin>(wanted, path);
  void* const symbol = loaded->library.symbol("berth_plugin_entry");
  if (!symbol) throw plugin_refused(path, "it exports no berth_plugin_entry");
  const auto entry = reinterpret_cast<berth_plugin_entry_function>(symbol);
  loaded->entry = entry();
  if (!loaded->entry) throw plugin_refused(path, "its entry gives nothing");
  if (loaded->entry->interface_version != BERTH_PLUGIN_INTERFACE)
    throw plugin_refused(path,
                         fmt::format("it was made for interface {}, and this is {}",
                                     loaded->entry->interface_version, BERTH_PLUGIN_INTERFACE));
  if (!loaded->entry->name || !loaded->entry->start || !loaded->entry->stop)
    throw plugin_refused(path, "its entry lacks a name, start or stop");
  plugins_.push_back(std::move(loaded));
}

void plugin_host::start(event_loop& loop) {
  for (auto& each : plugins_) {
    auto host =
        std::make_unique<berth_host>(each->entry->name, each->settings, hooks_, services_, loop);
    const char* why = nullptr;
    try {
      host->state = each->entry->start(host.get(), &plugin_functions, &why);
    } catch (...) {
      why = "it threw through the C interface";
    }
    if (!host->state) {
      host->remove_hooks();
      throw plugin_refused(each->path,
                           fmt::format("it does not start: {}", why ? why : "it does not say why"));
    }
    each->host = std::move(host);
    log::debug("plugin {} {} from {}", each->entry->name,
               each->entry->version ? each->entry->version : "", each->path.string());
  }
}

task<> plugin_host::stop() {
  for (; !plugins_.empty(); plugins_.pop_back()) {
    const bool ended = co_await stop(*plugins_.back());
    // What it closed on the loop and posted to it, even if it did not start, is called in this turn
    // of the loop or the next.
    for (int turn = 0; turn < 2; ++turn) (void)co_await sleep_for(1ms);
    if (ended) continue;
    log::error("plugin {} does not stop; it is left loaded", plugins_.back()->path.string());
    left_loaded().push_back(std::move(plugins_.back()));
  }
}

/// Whether it has stopped in time, if it was started.
task<bool> plugin_host::stop(plugin& one) {
  if (!one.host) co_return true;
  one.host->remove_hooks();
  try {
    one.entry->stop(one.host->state);
  } catch (...) {
    log::error("plugin {}: it threw through the C interface", one.path.string());
  }
  const auto here = co_await current_context();
  const auto until = deadline::after(here.loop->now(), time_to_stop);
  const auto ended = co_await one.host->stopped.wait(until);
  co_return ended.has_value();
}

}  // namespace berth
