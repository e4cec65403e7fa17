/* berth for C, and for every language that can call C: finds the one server of a workspace, starts
 * it if there is none, and publishes one.
 *
 * Calls: each call that can fail returns a berth_status. If that is not BERTH_DONE, its output is
 * NULL, and berth_message() says what failed, on what, why, and what to do. There are no callbacks.
 * A call that waits takes a timeout in milliseconds; a negative one means for ever. Events that no
 * call reports, such as a deleted file that is published again, are logged to standard error.
 * Ownership: the caller owns the objects that it gets through pointers, and passes them to the
 * _free function of their type, which accepts NULL. Text arguments are copied; returned texts live
 * as long as the object that they belong to. All texts are UTF-8.
 * Threads: all calls are thread-safe. Several threads may use a location, or a record that is no
 * longer changed, at once. A publication belongs to the process that made it, not to its forks. */
#ifndef BERTH_BERTH_H
#define BERTH_BERTH_H

#include <stdint.h>

#ifndef BERTH_API
#if defined(_WIN32)
#define BERTH_API __declspec(dllimport)
#else
#define BERTH_API __attribute__((visibility("default")))
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever programs built for the old interface would no longer work; the library's file
 * then has another name, too. Additions do not change it. */
#define BERTH_C_INTERFACE 1

/* The first six are also the exit statuses of the berth command. */
typedef enum berth_status {
  BERTH_DONE = 0,
  BERTH_FAILED = 1,          /* the system refused: no permission, disk full ... */
  BERTH_WRONG_USAGE = 2,     /* an argument that cannot be used */
  BERTH_NO_LIVE_SERVER = 3,  /* an ordinary outcome */
  BERTH_ANOTHER_IS_LIVE = 4, /* so nothing was published */
  BERTH_TIMED_OUT = 5,
  BERTH_INVALID_FILE = 6, /* the port file is not valid */
  BERTH_START_FAILED = 7  /* the command ended before it had published */
} berth_status;

typedef struct berth_location berth_location;       /* where a server is published */
typedef struct berth_record berth_record;           /* what it says about itself */
typedef struct berth_publication berth_publication; /* a record that is kept published */

/* BERTH_C_INTERFACE and the version ("0.1.0") of the library that is loaded. */
BERTH_API int berth_c_interface(void);
BERTH_API const char* berth_version(void);

/* Why this thread's last call failed; "" if it did not. Valid until the thread's next call. */
BERTH_API const char* berth_message(void);

/* NULL stands for the default: the application $BERTH_APP, else the one that the library was built
 * for, "pm"; the directory that the search finds (<APP>_CONFIG_DIR, else the nearest .<app> from
 * the current directory upward); the instance "server". The directory need not exist. */
BERTH_API berth_status berth_locate(const char* application, const char* directory,
                                    const char* instance, berth_location** found);
BERTH_API const char* berth_location_port_file(const berth_location* where);
BERTH_API void berth_location_free(berth_location* where);

/* Reads the port file, whether its server is alive or not. Changes nothing. */
BERTH_API berth_status berth_read(const berth_location* where, berth_record** found);
/* Reads the port file, unless its server is known to be dead; then the stale file is removed. Takes
 * some microseconds. */
BERTH_API berth_status berth_read_live(const berth_location* where, berth_record** found);
/* Waits until a live server is published there; watches the directory and does not poll. */
BERTH_API berth_status berth_wait(const berth_location* where, int64_t timeout_ms,
                                  berth_record** found);
/* Finds the live server, or starts `command` (followed by its arguments, then NULL) if there is
 * none, or none of at least `minimum_version` ("1.10"; NULL: any). However many processes call it
 * at once, one server is started and all get it. The server runs in a session of its own, with its
 * output in <instance>.log in the directory. It inherits no descriptor of this process and does not
 * become its child. Handlers of SIGCHLD may miss other children that end meanwhile. */
BERTH_API berth_status berth_ensure(const berth_location* where, const char* const* command,
                                    const char* minimum_version, int64_t timeout_ms,
                                    berth_record** found);
/* Removes the file if its server has ended, and returns the record that it held. */
BERTH_API berth_status berth_remove_stale(const berth_location* where, berth_record** removed);

/* Describes this process, which serves at that host and port (1-65535) from now on. */
BERTH_API berth_status berth_record_new(const char* host, int port, const char* version,
                                        berth_record** made);
/* Change a record before it is published. The scheme is "http" by default; an endpoint is one more
 * listener, with a name; metadata is any text, with a name. Texts must not hold control characters;
 * a host must be a DNS name or an address. */
BERTH_API berth_status berth_record_set_scheme(berth_record* record, const char* scheme);
BERTH_API berth_status berth_record_set_token(berth_record* record, const char* token);
BERTH_API berth_status berth_record_set_metadata(berth_record* record, const char* name,
                                                 const char* text);
BERTH_API berth_status berth_record_set_endpoint(berth_record* record, const char* name,
                                                 const char* scheme, const char* host, int port);

/* For a NULL record they return 0 or NULL. */
BERTH_API uint32_t berth_record_pid(const berth_record* record);
BERTH_API int berth_record_port(const berth_record* record);
BERTH_API const char* berth_record_host(const berth_record* record);       /* as it is bound */
BERTH_API const char* berth_record_url(const berth_record* record);        /* as it is reached */
BERTH_API const char* berth_record_started_at(const berth_record* record); /* RFC 3339, UTC */
BERTH_API const char* berth_record_version(const berth_record* record);
BERTH_API const char* berth_record_scheme(const berth_record* record);
BERTH_API const char* berth_record_instance_id(const berth_record* record); /* "" if unknown */
BERTH_API const char* berth_record_token(const berth_record* record);       /* "" if none */
BERTH_API const char* berth_record_metadata(const berth_record* record, const char* name);
BERTH_API const char* berth_record_endpoint_url(const berth_record* record, const char* name);
BERTH_API void berth_record_free(berth_record* record);

/* Publishes the record; call it once the port listens. A thread keeps it published: if another
 * program deletes the file, it is published again. Returns BERTH_ANOTHER_IS_LIVE if another server
 * is live there. The publication ends with the process, however that ends. */
BERTH_API berth_status berth_publish(const berth_location* where, const berth_record* record,
                                     berth_publication** made);
/* Returns BERTH_DONE while the publication is ours; BERTH_ANOTHER_IS_LIVE if the port file and the
 * lock file were deleted, and another server came before they were back. */
BERTH_API berth_status berth_check(const berth_publication* publication);
/* Removes the port file if it is still ours, and frees the publication in any case. */
BERTH_API berth_status berth_remove(berth_publication* publication);

#ifdef __cplusplus
}
#endif

#endif
