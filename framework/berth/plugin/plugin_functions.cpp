#include <cstring>
#include <stdexcept>

#include <fmt/format.h>

#include <berth/base/log.hpp>
#include <berth/base/printable.hpp>
#include <berth/plugin/plugin_event.hpp>
#include <berth/record/record_check.hpp>
#include <berth/record/record_codec.hpp>

void berth_event::concerns(const berth::endpoint& address) {
  if (point == "bound") {
    texts["host"] = address.host;
    texts["port"] = std::to_string(address.port);
  } else {
    texts["peer"] = to_string(address);
  }
}

void berth_event::concerns(const berth::record& server) {
  texts["record"] = berth::format_record(server);
}

void berth_event::concerns(berth::record& server) {
  published = &server;
  concerns(std::as_const(server));
}

void berth_event::concerns(berth::stop_reason why) { texts["reason"] = to_string(why); }

const char* berth_event::text(const char* name) {
  const auto found = texts.find(name);
  if (found != texts.end()) return found->second.c_str();
  const berth::location& where = host.services.where();
  const auto give = [&](std::string value) {
    return texts.emplace(name, std::move(value)).first->second.c_str();
  };
  const std::string_view wanted = name;
  if (wanted == "point") return give(std::string(point));
  if (wanted == "application") return give(where.application);
  if (wanted == "instance") return give(where.instance);
  if (wanted == "path") return give(where.port_file().string());
  if (wanted == "config_dir") return give(where.directory.string());
  return nullptr;
}

void berth_event::complete() {
  ended = true;
  completed.set();
  if (given_up) host.drop(this);
}

void berth_event::fail(std::string_view reason) {
  failure = reason.empty() ? "it failed without a reason" : reason;
}

void berth_event::give_up() {
  published = nullptr;
  configuring = false;
  const auto call = on_cancel;
  if (call) call(on_cancel_user);
  given_up = true;
}

namespace berth {
namespace {

/// Adds `hook` to the point of that name.
template <typename Add>
std::uint64_t add_at(service_hooks& hooks, std::string_view name, Add add) {
  std::uint64_t id = 0;
  const auto try_one = [&](auto& point) {
    if (id == 0 && point.name() == name) id = add(point);
  };
  try_one(hooks.configured);
  try_one(hooks.bound);
  try_one(hooks.stale_found);
  try_one(hooks.publishing);
  try_one(hooks.published);
  try_one(hooks.ready);
  try_one(hooks.connection_opened);
  try_one(hooks.connection_closed);
  try_one(hooks.draining);
  try_one(hooks.unpublished);
  try_one(hooks.stopped);
  return id;
}

/// Calls a hook of a plugin and waits until its event has ended, or the hook is cancelled: the
/// event stays valid until the plugin completes it.
task<> call_plugin(berth_host& host, berth_hook hook, void* user,
                   std::shared_ptr<berth_event> happening) {
  host.keep(happening);
  try {
    hook(user, happening.get());
  } catch (...) {
    happening->fail("it threw through the C interface");
    happening->deferred = false;
  }
  if (happening->deferred) {
    const auto completed = co_await happening->completed.wait();
    if (!completed) {
      happening->give_up();
      if (!happening->ended) co_return;  // it stays with the host until then
    }
  }
  host.drop(happening.get());
  if (!happening->failure.empty()) throw std::runtime_error(happening->failure);
}

berth_host& of(berth_host* host) { return *host; }

/// A text of a plugin's: null counts as empty.
const char* text_of(const char* given) { return given ? given : ""; }

}  // namespace

const berth_host_functions plugin_functions = {
    sizeof(berth_host_functions),
    /* loop */ [](berth_host* host) { return of(host).loop.native(); },
    /* post */
    [](berth_host* host, berth_call call, void* user) {
      if (call) of(host).loop.submit([call, user] { call(user); });
    },
    /* log */
    [](berth_host* host, int level, const char* message) {
      const auto at = static_cast<log::level>(std::clamp(level, 1, 4));
      if (log::enabled(at)) log::write(at, fmt::format("{}: {}", of(host).name, text_of(message)));
    },
    /* setting */
    [](berth_host* host, const char* name) -> const char* {
      berth_host& self = of(host);
      const auto setting = self.settings.find(text_of(name));
      if (setting == self.settings.end()) return nullptr;
      self.settings_read.insert(setting->first);
      return setting->second.c_str();
    },
    /* add_hook */
    [](berth_host* host, const char* point_name, int priority, std::uint32_t deadline_ms,
       berth_hook hook, void* user) -> std::uint64_t {
      berth_host& self = of(host);
      if (!hook) return 0;
      return add_at(
          self.hooks, text_of(point_name), [&]<typename... Args>(hook_point<Args...>& point) {
            const auto called = [&self, &point, hook, user](Args... arguments) {
              auto happening = std::make_shared<berth_event>(self, point.name());
              (happening->concerns(arguments), ...);
              return call_plugin(self, hook, user, std::move(happening));
            };
            const auto id =
                point.add(self.name, called, priority, std::chrono::milliseconds(deadline_ms));
            self.removals.emplace_back(++self.last_id, [&point, id] { point.remove(id); });
            return self.last_id;
          });
    },
    /* remove_hook */
    [](berth_host* host, std::uint64_t id) {
      auto& all = of(host).removals;
      const auto found =
          std::find_if(all.begin(), all.end(), [id](const auto& each) { return each.first == id; });
      if (found == all.end()) return;
      found->second();
      all.erase(found);
    },
    /* counters */
    [](berth_host* host, berth_counters* into) {
      berth_counters all{};
      of(host).services.count(all);
      const auto size = std::min<std::size_t>(into->size, sizeof all);
      all.size = static_cast<std::uint32_t>(size);
      std::copy_n(reinterpret_cast<const char*>(&all), size, reinterpret_cast<char*>(into));
    },
    /* stopped */ [](berth_host* host) { of(host).stopped.set(); },
    /* text */
    [](berth_event* happening, const char* name) { return happening->text(text_of(name)); },
    /* defer */ [](berth_event* happening) { happening->deferred = true; },
    /* complete */ [](berth_event* happening) { happening->complete(); },
    /* fail */ [](berth_event* happening, const char* reason) { happening->fail(text_of(reason)); },
    /* on_cancel */
    [](berth_event* happening, berth_call call, void* user) {
      happening->on_cancel = call;
      happening->on_cancel_user = user;
      if (call && happening->given_up) call(user);
    },
    /* set_metadata */
    [](berth_event* happening, const char* name, const char* value) -> int {
      record* const server = happening->published;
      if (!server || !is_plain_name(text_of(name)) || !value || !is_plain_text(value)) return 0;
      server->metadata[name] = value;
      return 1;
    },
    /* set_endpoint */
    [](berth_event* happening, const char* name, const char* host, std::uint16_t port,
       const char* scheme) -> int {
      record* const server = happening->published;
      if (!server || !is_plain_name(text_of(name)) || port == 0 || !is_host(text_of(host)) ||
          !is_scheme(text_of(scheme)))
        return 0;
      server->endpoints[name] = {host, port, scheme};
      return 1;
    },
    /* use_listener */
    [](berth_event* happening, int descriptor) -> int {
      return happening->configuring && happening->host.services.use_listener(descriptor) ? 1 : 0;
    },
};

}  // namespace berth
