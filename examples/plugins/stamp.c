/* A plugin in C: publishes what it was given as metadata, and says at the end how many connections
 * there were.
 *   pm-server --plugin libstamp.so=team=blue */
#define BERTH_PLUGIN
#include <berth/plugin/plugin.h>

#include <stdio.h>
#include <stdlib.h>

struct stamp {
  berth_host* host;
  const struct berth_host_functions* berth;
};

static void stamp_record(void* user, berth_event* event) {
  struct stamp* self = user;
  const char* team = self->berth->setting(self->host, "team");
  if (!self->berth->set_metadata(event, "team", team))
    self->berth->fail(event, "the team could not be published");
}

static void count_connections(void* user, berth_event* event) {
  struct stamp* self = user;
  struct berth_counters counters;
  char line[100];
  (void)event;
  counters.size = sizeof counters;
  self->berth->counters(self->host, &counters);
  snprintf(line, sizeof line, "%llu connections were served",
           (unsigned long long)counters.connections_opened);
  self->berth->log(self->host, BERTH_LOG_INFO, line);
}

static void* start(berth_host* host, const struct berth_host_functions* berth,
                   const char** failure) {
  struct stamp* self;
  if (!berth->setting(host, "team")) {
    *failure = "it needs a team, as in --plugin libstamp.so=team=blue";
    return NULL;
  }
  self = malloc(sizeof *self);
  if (!self) return NULL;
  self->host = host;
  self->berth = berth;
  berth->add_hook(host, "publishing", 0, 1000, stamp_record, self);
  berth->add_hook(host, "unpublished", 0, 1000, count_connections, self);
  return self;
}

static void stop(void* state) {
  struct stamp* self = state;
  berth_host* host = self->host;
  const struct berth_host_functions* berth = self->berth;
  free(self);
  berth->stopped(host);
}

const struct berth_plugin* berth_plugin_entry(void) {
  static const struct berth_plugin plugin = {BERTH_PLUGIN_INTERFACE, "stamp", "1.0.0", start, stop};
  return &plugin;
}
