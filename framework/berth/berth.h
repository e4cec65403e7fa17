/* berth for C, and for every language that can call C: finding the one server of a workspace,
 * starting it where there is none, and publishing one.
 *
 * Calls: each that can fail returns a berth_status. Where that is not BERTH_DONE, what it was to
 * give is NULL, and berth_message() says why, naming what, where and what to do. None calls back.
 * A call that waits takes its longest time in milliseconds; below 0, for ever. What nobody's call
 * tells, as that a deleted file is published again, goes to standard error.
 * Ownership: what a call gives through a pointer is the caller's, to be given to the _free of its
 * type, which take NULL too. Texts that are given are copied; those that are returned live as long
 * as what they are of. All are UTF-8.
 * Threads: any call, from any thread. A location and a record that is not changed any more may be
 * used by several at once. A publication belongs to the process that made it, not to its forks. */
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

/* Another number where a program made for one would not work with the other; then the library's
 * file has another name, too. What is only added does not change it. */
#define BERTH_C_INTERFACE 1

/* The first six are the exit statuses of the berth command, too. */
typedef enum berth_status {
  BERTH_DONE = 0,
  BERTH_FAILED = 1,          /* the system refused: no permission, disk full ... */
  BERTH_WRONG_USAGE = 2,     /* an argument that cannot be used */
  BERTH_NO_LIVE_SERVER = 3,  /* ordinary: there is none */
  BERTH_ANOTHER_IS_LIVE = 4, /* and so nothing was published */
  BERTH_TIMED_OUT = 5,
  BERTH_INVALID_FILE = 6, /* a port file that breaks the format */
  BERTH_START_FAILED = 7  /* the command ended before it had published */
} berth_status;

typedef struct berth_location berth_location;       /* where a server is published */
typedef struct berth_record berth_record;           /* what it says about itself */
typedef struct berth_publication berth_publication; /* a record that is kept published */

/* BERTH_C_INTERFACE and the version ("0.1.0") of the library that is loaded. */
BERTH_API int berth_c_interface(void);
BERTH_API const char* berth_version(void);

/* Why this thread's last call failed; "" after one that did not. Valid until its next call. */
BERTH_API const char* berth_message(void);

/* NULL stands for the default: application "pm", or what the library was built for; the directory
 * by the rules (<APP>_CONFIG_DIR, else the nearest .<app> from the current directory upward);
 * instance "server". The directory need not exist. */
BERTH_API berth_status berth_locate(const char* application, const char* directory,
                                    const char* instance, berth_location** found);
BERTH_API const char* berth_location_port_file(const berth_location* where);
BERTH_API void berth_location_free(berth_location* where);

/* What the file says, of a living server or not. Changes nothing. */
BERTH_API berth_status berth_read(const berth_location* where, berth_record** found);
/* What the file says if its server lives, for all that is known; a stale file is removed. Takes
 * some microseconds. */
BERTH_API berth_status berth_read_live(const berth_location* where, berth_record** found);
/* Until a live server is published there; watches the directory and does not poll. */
BERTH_API berth_status berth_wait(const berth_location* where, int64_t timeout_ms,
                                  berth_record** found);
/* The live server, started by `command` (its arguments behind it, then NULL) where there is none,
 * or none of `minimum_version` ("1.10"; NULL: any). However many call at once, one server is
 * started and all get it. It runs in a session of its own, with its output in <instance>.log in
 * the directory, and with no descriptor of ours: all of this process's are marked as not
 * inherited. It is a child of this process still: one that goes on for long collects it some time
 * after its end (waitpid). Handlers of SIGCHLD are not called for others that end meanwhile. */
BERTH_API berth_status berth_ensure(const berth_location* where, const char* const* command,
                                    const char* minimum_version, int64_t timeout_ms,
                                    berth_record** found);
/* Removes the file if its server has ended, and gives what it said. */
BERTH_API berth_status berth_remove_stale(const berth_location* where, berth_record** removed);

/* A record of this process, which serves at that host and port (1-65535) from now on. */
BERTH_API berth_status berth_record_new(const char* host, int port, const char* version,
                                        berth_record** made);
/* Changes before publishing. The scheme is "http" otherwise; an endpoint is one more listener, by
 * its name; metadata is any text by name. Texts without control characters, hosts that are a DNS
 * name or an address. */
BERTH_API berth_status berth_record_set_scheme(berth_record* record, const char* scheme);
BERTH_API berth_status berth_record_set_token(berth_record* record, const char* token);
BERTH_API berth_status berth_record_set_metadata(berth_record* record, const char* name,
                                                 const char* text);
BERTH_API berth_status berth_record_set_endpoint(berth_record* record, const char* name,
                                                 const char* scheme, const char* host, int port);

/* Of a NULL record 0 or NULL. */
BERTH_API uint32_t berth_record_pid(const berth_record* record);
BERTH_API int berth_record_port(const berth_record* record);
BERTH_API const char* berth_record_host(const berth_record* record);       /* as it is bound */
BERTH_API const char* berth_record_url(const berth_record* record);        /* as it is reached */
BERTH_API const char* berth_record_started_at(const berth_record* record); /* RFC 3339, UTC */
BERTH_API const char* berth_record_version(const berth_record* record);
BERTH_API const char* berth_record_scheme(const berth_record* record);
BERTH_API const char* berth_record_instance_id(const berth_record* record); /* "" where unknown */
BERTH_API const char* berth_record_token(const berth_record* record);       /* "" where none */
BERTH_API const char* berth_record_metadata(const berth_record* record, const char* name);
BERTH_API const char* berth_record_endpoint_url(const berth_record* record, const char* name);
BERTH_API void berth_record_free(berth_record* record);

/* Publishes, once the port is bound and listened to, and keeps it published from a thread of its
 * own: what something else deletes is published again. BERTH_ANOTHER_IS_LIVE where another server
 * is live there. Ends with the process, however that ends. */
BERTH_API berth_status berth_publish(const berth_location* where, const berth_record* record,
                                     berth_publication** made);
/* BERTH_DONE while it is ours; BERTH_ANOTHER_IS_LIVE once file and lock file had been deleted and
 * another server came before they were back. */
BERTH_API berth_status berth_check(const berth_publication* publication);
/* Removes what was published, where it still is ours, and frees the publication in any case. */
BERTH_API berth_status berth_remove(berth_publication* publication);

#ifdef __cplusplus
}
#endif

#endif
