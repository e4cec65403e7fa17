/* What a service and a plugin know of each other. C, so that a plugin may be built by any compiler
 * and in any language that can call C. A plugin is a shared object that exports berth_plugin_entry.
 *
 * Everything happens on the thread of the service's loop, but for `post` and `log`, which any
 * thread may call, and the hooks of connections, which are called on the thread that serves the
 * connection. Texts that are given are valid during the call. A null text counts as empty, and a
 * null function is not called. A plugin in C++ has coroutines through <berth/plugin/plugin.hpp>. */
#ifndef BERTH_SERVICE_PLUGIN_H
#define BERTH_SERVICE_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Another number where a plugin made for one would not work with the other. Functions that come
 * later are added to the end of berth_host_functions, and known by its size. */
#define BERTH_PLUGIN_INTERFACE 1u

struct uv_loop_s;
typedef struct berth_host berth_host;   /* the service, as this plugin knows it */
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

/* Of the service since it started. */
struct berth_counters {
  uint32_t size; /* of this structure, as the caller knows it */
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
  uint32_t size; /* of this structure, as the service knows it */

  /* The service's libuv loop. What is opened on it must be closed before the plugin has stopped. */
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
   * `deadline_ms` is cancelled. 0 where there is no such point. */
  uint64_t (*add_hook)(berth_host* host, const char* point, int priority, uint32_t deadline_ms,
                       berth_hook hook, void* user);
  void (*remove_hook)(berth_host* host, uint64_t id);
  void (*counters)(berth_host* host, struct berth_counters* into);
  /* What `stop` has to call when it is done: no code of the plugin runs after that. */
  void (*stopped)(berth_host* host);

  /* Within an event. */
  /* "point", "application", "instance", "path" (of the port file) and "config_dir" at all;
   * "record" (its JSON) where there is one; "host" and "port" at "bound", "peer" at connections,
   * "reason" at "draining". Null where there is none. */
  const char* (*text)(berth_event* event, const char* name);
  /* The event goes on after the hook has returned, until it is completed: on the same thread, once,
   * cancelled or not. */
  void (*defer)(berth_event* event);
  void (*complete)(berth_event* event);
  /* The event fails, for that reason. Before or instead of completing; may be repeated. */
  void (*fail)(berth_event* event, const char* reason);
  /* Calls `call` when the event's time has passed or the service stops it: complete it soon. */
  void (*on_cancel)(berth_event* event, berth_call call, void* user);
  /* At "publishing": adds to what is published. Returns 0 if it is refused: the host is not an
   * address or DNS name, the scheme is invalid, or a text has control characters. */
  int (*set_metadata)(berth_event* event, const char* name, const char* value);
  int (*set_endpoint)(berth_event* event, const char* name, const char* host, uint16_t port,
                      const char* scheme);
  /* At "configured": the service accepts from this listening socket, instead of binding one. 0
   * where that is refused. */
  int (*use_listener)(berth_event* event, int descriptor);
};

struct berth_plugin {
  uint32_t interface_version; /* BERTH_PLUGIN_INTERFACE */
  const char* name;
  const char* version;
  /* Gives what `stop` is called with; null, and the reason in `failure`, where it cannot start. A
   * plugin that needs no state gives any other pointer. */
  void* (*start)(berth_host* host, const struct berth_host_functions* functions,
                 const char** failure);
  /* Must lead to a call of `stopped`, within it or later. Hooks are not called any more. */
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
