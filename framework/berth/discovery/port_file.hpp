// Looks a server up, for clients and for programs with their own event loop. Blocks for a few
// microseconds on a local file system; needs neither libuv nor coroutines; thread-safe.
// For coroutines see async.hpp; for publishing, claim.hpp.
#pragma once

#include <optional>

#include <berth/liveness/liveness.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>
#include <berth/store/open_file.hpp>

namespace berth {

/// A port file's record, the verdict on its server, and the file's identity.
struct finding {
  record server;
  verdict judged;
  file_id file;

  bool stale() const noexcept { return judged.state == liveness::dead; }
};

/// The file's record, whether its server is alive or not; nullopt if there is no file. Throws
/// invalid_port_file, after some milliseconds of retries, and error if the file cannot be read or
/// is not trusted.
std::optional<record> read(const location& where, read_mode how = read_mode::may_block);

/// The file's record, unless its server is known to be dead; then the stale file is removed.
std::optional<record> read_live(const location& where,
                                const liveness_strategy& strategy = default_liveness());

/// The file's record and the verdict on its server. Changes nothing. With read_mode::cached it
/// throws would_block instead of waiting for the disk.
std::optional<finding> examine(const location& where,
                               const liveness_strategy& strategy = default_liveness(),
                               read_mode how = read_mode::may_block);

/// Like examine, for a server that is about to publish: an invalid file that no process locks
/// counts as stale. The `server` of the finding is then empty, and its pid is 0.
std::optional<finding> examine_to_replace(const location& where,
                                          const liveness_strategy& strategy = default_liveness());

/// Removes the file if it is stale, and returns its record. Does nothing if another process is
/// changing the file at this moment.
std::optional<record> remove_stale(const location& where,
                                   const liveness_strategy& strategy = default_liveness());

/// The same for a reader that found the file stale. Without write access the file stays, which is
/// logged at the level debug: there is no live server either way.
void discard_stale(const location& where, const liveness_strategy& strategy = default_liveness());

/// Like remove_stale, but removes an invalid file that no process locks as well. False if nothing
/// was removed.
bool remove_stale_or_invalid(const location& where,
                             const liveness_strategy& strategy = default_liveness());

}  // namespace berth
