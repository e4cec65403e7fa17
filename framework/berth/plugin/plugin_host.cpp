#include <berth/plugin/plugin_host.hpp>

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include <berth/base/log.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/io/shared_library.hpp>
#include <berth/plugin/plugin_event.hpp>
#include <berth/store/trust.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

constexpr auto time_to_stop = 5s;

namespace fs = std::filesystem;

/// The directories in which the plugins that ship with berth are installed: in the prefix of this
/// build, or where that was moved to.
std::vector<fs::path> installation_directories() {
  std::vector<fs::path> all{fs::path(BERTH_PLUGIN_DIRECTORY)};
  std::error_code unknown;
  const auto program = fs::read_symlink("/proc/self/exe", unknown);
  if (!unknown) all.push_back((program.parent_path() / BERTH_PLUGINS_FROM_BIN).lexically_normal());
  return all;
}

/// A name without a slash is that of an installed plugin, "etcd" or "libberth-etcd.so", and never a
/// file of the current directory, which anybody may have filled.
fs::path find_installed(const fs::path& name) {
  const auto directories = installation_directories();
  for (const auto& directory : directories)
    for (const auto& file : {name.string(), "libberth-" + name.string() + ".so"}) {
      std::error_code ignored;
      if (fs::exists(directory / file, ignored)) return directory / file;
    }
  throw plugin_refused(
      name, fmt::format("no plugin of that name is installed in {}; to load another file, give a "
                        "path with a slash, such as ./{}",
                        directories.front().string(), name.string()));
}

/// The plugin's canonical path. Throws plugin_refused unless only the user or root can change the
/// file.
fs::path checked(const fs::path& path) {
  std::error_code failed;
  const auto found = fs::canonical(path.has_parent_path() ? path : find_installed(path), failed);
  if (failed) throw plugin_refused(path, failed.message());
  try {
    const auto file = open_file::to_read(found.native());
    if (!file || !file->status().regular) throw plugin_refused(path, "it is not a file");
    check_code_owner(found.native(), file->status());
  } catch (const plugin_refused&) {
    throw;
  } catch (const error& refused) {
    throw plugin_refused(path, refused.what());
  }
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

// Plugins that did not stop in time: their code may run for as long as the process does.
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
  if (!loaded->entry) throw plugin_refused(path, "its berth_plugin_entry returned null");
  if (loaded->entry->interface_version != BERTH_PLUGIN_INTERFACE)
    throw plugin_refused(path,
                         fmt::format("it was built for plugin interface {}, but this is {}",
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

void plugin_host::report_unread_settings() const {
  for (const auto& each : plugins_)
    for (const auto& [key, value] : each->settings)
      if (!each->host->settings_read.contains(key))
        log::warning("plugin {} does not use its setting {}: check how it is spelled",
                     each->entry->name, key);
}

task<> plugin_host::stop() {
  for (; !plugins_.empty(); plugins_.pop_back()) {
    const bool ended = co_await stop(*plugins_.back());
    // The callbacks of the handles that it closed, and the calls that it posted, run in this turn
    // of the loop or the next, even if the plugin did not start.
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
