/* The interface between a service and its plugins. It is C, so that a plugin may be built by any
 * compiler, in any language that can call C. A plugin is a shared object that exports
 * berth_plugin_entry.
 *
 * Everything happens on the thread of the service's loop, except that any thread may call `post`
 * and `log`, and that the hooks of connections are called on the thread that serves the connection.
 * Text arguments are valid during the call. A null text counts as empty, and a null function is not
 * called. A plugin in C++ has coroutines through <berth/plugin/plugin.hpp>. */
#ifndef BERTH_SERVICE_PLUGIN_H
#define BERTH_SERVICE_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever plugins built for the old interface would no longer work. New functions are
 * added at the end of berth_host_functions; its size tells whether they are there. */
#define BERTH_PLUGIN_INTERFACE 1u

struct uv_loop_s;
typedef struct berth_host berth_host;   /* the service, as this plugin sees it */
typedef struct berth_event berth_event; /* one call of a hook */

typedef void (*berth_call)(void* user);
/* Ends the event when it returns, unless it defers it. */
typedef void (*berth_hook)(void* user, berth_event* event);

enum berth_log_level {
  BERTH_LOG_ERROR = 1,
  BERTH_LOG_WARNING = 2,
  BERTH_LOG_INFO = 3,
  BERTH_LOG_DEBUG = 4
};

/* Counts since the service started. */
struct berth_counters {
  uint32_t size; /* of this structure in the caller's version of this header */
  uint64_t connections_opened;
  uint64_t connections_open;
  uint64_t bytes_received;
  uint64_t bytes_sent;
  uint64_t publishes;
  uint64_t drains;
  uint64_t hook_calls;
  uint64_t hook_failures;
  uint64_t hook_nanoseconds;
};

struct berth_host_functions {
  uint32_t size; /* of this structure in the service's version of this header */

  /* The service's libuv loop. Close every handle on it before the plugin has stopped. */
  struct uv_loop_s* (*loop)(berth_host* host);
  /* Calls `call` on the loop's thread, soon. Any thread; not once the plugin has stopped. */
  void (*post)(berth_host* host, berth_call call, void* user);
  void (*log)(berth_host* host, int level, const char* message);
  /* The value of that setting of the plugin; null if there is none. Settings that were not read
   * when the service is ready are reported with a warning, since they may be misspelled. */
  const char* (*setting)(berth_host* host, const char* name);
  /* Calls `hook` at that point of the service's life: "configured", "bound", "stale_found",
   * "publishing", "published", "ready", "connection_opened", "connection_closed", "draining",
   * "unpublished" or "stopped". Higher priorities first. One that takes longer than
   * `deadline_ms` is cancelled. Returns 0 if there is no such point. */
  uint64_t (*add_hook)(berth_host* host, const char* point, int priority, uint32_t deadline_ms,
                       berth_hook hook, void* user);
  void (*remove_hook)(berth_host* host, uint64_t id);
  void (*counters)(berth_host* host, struct berth_counters* into);
  /* `stop` must call this when it is done: no code of the plugin runs after that. */
  void (*stopped)(berth_host* host);

  /* The following functions are for use within an event. */
  /* Returns a text of the event: "point", "application", "instance", "path" (of the port file) and
   * "config_dir" at all points; "record" (its JSON) if there is one; "host" and "port" at "bound",
   * "peer" at connections, "reason" at "draining". Null if there is no such text. */
  const char* (*text)(berth_event* event, const char* name);
  /* Lets the event go on after the hook has returned. It must then be completed once, on the same
   * thread, whether it was cancelled or not. */
  void (*defer)(berth_event* event);
  void (*complete)(berth_event* event);
  /* Makes the event fail, for that reason. Call it before or instead of completing; may be
   * repeated. */
  void (*fail)(berth_event* event, const char* reason);
  /* Calls `call` when the event's deadline has passed or the service cancels it; complete it soon
   * then. */
  void (*on_cancel)(berth_event* event, berth_call call, void* user);
  /* At "publishing": adds to what is published. Returns 0 if it is refused: the host is not an
   * address or DNS name, the scheme is invalid, or a text has control characters. */
  int (*set_metadata)(berth_event* event, const char* name, const char* value);
  int (*set_endpoint)(berth_event* event, const char* name, const char* host, uint16_t port,
                      const char* scheme);
  /* At "configured": makes the service accept from this listening socket, instead of binding one.
   * Returns 0 if that is refused. */
  int (*use_listener)(berth_event* event, int descriptor);
};

struct berth_plugin {
  uint32_t interface_version; /* BERTH_PLUGIN_INTERFACE */
  const char* name;
  const char* version;
  /* Returns the state with which `stop` is called; null, with the reason in `failure`, if the
   * plugin cannot start. A plugin without state returns any pointer that is not null. */
  void* (*start)(berth_host* host, const struct berth_host_functions* functions,
                 const char** failure);
  /* Must call `stopped`, before it returns or later. Hooks are not called any more. */
  void (*stop)(void* state);
};

/* The entry point: a plugin exports it. */
typedef const struct berth_plugin* (*berth_plugin_entry_function)(void);
#ifdef BERTH_PLUGIN
#ifdef _WIN32
__declspec(dllexport)
#else
__attribute__((visibility("default")))
#endif
const struct berth_plugin*
berth_plugin_entry(void);
#endif

#ifdef __cplusplus
}
#endif

#endif
