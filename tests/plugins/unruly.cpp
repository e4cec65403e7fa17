// A plugin that misbehaves as it is told: at which point of the service's life ("at"), and how
// ("does"). Through the C interface alone.
#define BERTH_PLUGIN
#include <berth/plugin/plugin.h>

#include <cstdio>
#include <cstring>
#include <string>

#ifndef INTERFACE
#define INTERFACE BERTH_PLUGIN_INTERFACE
#endif

namespace {

struct unruly {
  berth_host* host;
  const berth_host_functions* berth;

  std::string setting(const char* name) const {
    const char* const found = berth->setting(host, name);
    return found ? found : "";
  }
  void note(const std::string& line) const {
    const std::string journal = setting("journal");
    if (journal.empty()) return;
    std::FILE* const file = std::fopen(journal.c_str(), "a");
    std::fprintf(file, "%s %s\n", setting("name").c_str(), line.c_str());
    std::fclose(file);
  }
};

struct late_event {
  berth_host* host;
  const berth_host_functions* berth;
  berth_event* event;
};

void complete_late(void* user) {
  auto* const late = static_cast<late_event*>(user);
  late->berth->set_metadata(late->event, "too", "late");
  late->berth->complete(late->event);
  delete late;
}

bool takes_null(const unruly& self, berth_event* event) {
  const berth_host_functions& berth = *self.berth;
  berth.log(self.host, BERTH_LOG_INFO, nullptr);
  berth.post(self.host, nullptr, nullptr);
  berth.on_cancel(event, nullptr, nullptr);
  return berth.setting(self.host, nullptr) || berth.text(event, nullptr) ||
         berth.set_metadata(event, nullptr, "b") || berth.set_metadata(event, "x", nullptr) ||
         berth.set_endpoint(event, nullptr, "d", 1, "e") ||
         berth.set_endpoint(event, "c", nullptr, 1, "e") ||
         berth.set_endpoint(event, "c", "d", 1, nullptr) ||
         berth.add_hook(
             self.host, nullptr, 0, 30, [](void*, berth_event*) {}, nullptr) != 0 ||
         berth.add_hook(self.host, "ready", 0, 30, nullptr, nullptr) != 0;
}

void hook(void* user, berth_event* event) {
  auto& self = *static_cast<unruly*>(user);
  const berth_host_functions& berth = *self.berth;
  const std::string does = self.setting("does");
  self.note(std::string("called at ") + berth.text(event, "point"));
  if (does == "throw") throw 1;
  if (does == "fail") berth.fail(event, "as it was told");
  if (does == "hang" || does == "late") berth.defer(event);
  if (does == "late")
    berth.on_cancel(
        event,
        [](void* late) {
          const auto& which = *static_cast<late_event*>(late);
          which.berth->post(which.host, complete_late, late);
        },
        new late_event{self.host, self.berth, event});
  if (does == "twice") {
    berth.defer(event);
    berth.complete(event);
    berth.complete(event);
  }
  if (does == "texts") {
    for (const char* name : {"point", "application", "instance", "path", "config_dir", "record",
                             "host", "port", "peer", "reason", "nonsense"}) {
      const char* const text = berth.text(event, name);
      if (text) self.note(std::string(name) + "=" + std::string(text).substr(0, 60));
    }
    const bool may =
        berth.set_metadata(event, "a", "b") && berth.set_endpoint(event, "c", "d", 1, "e");
    self.note(may ? "may add" : "may not add");
    if (berth.set_metadata(event, "", "b") || berth.set_metadata(event, "x", "\x1b") ||
        berth.set_endpoint(event, "c", "d e", 1, "e") ||
        berth.set_endpoint(event, "c", "d", 1, "e f") ||
        berth.set_endpoint(event, "c", "d", 0, "e") || berth.use_listener(event, -1) ||
        takes_null(self, event))
      self.note("what cannot be was taken");
  }
}

void* start(berth_host* host, const berth_host_functions* berth, const char** failure) {
  auto* const self = new unruly{host, berth};
  self->note("starts");
  const std::string does = self->setting("start");
  if (does == "throw") {
    delete self;
    throw 1;
  }
  if (does == "refuse") {
    *failure = "it does not want to";
    delete self;
    return nullptr;
  }
  const std::string at = self->setting("at");
  if (!at.empty() && berth->add_hook(host, at.c_str(), 0, 30, hook, self) == 0)
    self->note("no such point");
  if (self->setting("removes") == "true")
    berth->remove_hook(host, berth->add_hook(host, "ready", 0, 30, hook, self));
  return self;
}

void stop(void* state) {
  auto* const self = static_cast<unruly*>(state);
  self->note("stops");
  berth_host* const host = self->host;
  const auto stopped = self->berth->stopped;
  if (self->setting("stop") == "never") return;
  delete self;
  stopped(host);
}

}  // namespace

const berth_plugin* berth_plugin_entry(void) {
#ifdef NOTHING
  return nullptr;
#else
  static const berth_plugin plugin = {INTERFACE, "unruly", "1", start, stop};
  return &plugin;
#endif
}
