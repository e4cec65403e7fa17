// Looking a server up: what any client, and any program with a loop of its own, calls. Blocks for
// a few microseconds on a local file system; needs neither libuv nor coroutines; any thread.
// For coroutines see async.hpp; for publishing, claim.hpp.
#pragma once

#include <optional>

#include <berth/discovery/liveness.hpp>
#include <berth/discovery/location.hpp>
#include <berth/discovery/open_file.hpp>
#include <berth/discovery/record.hpp>

namespace berth {

/// What a port file says, how its server was judged, and which file that was.
struct finding {
  record server;
  verdict judged;
  file_id file;

  bool stale() const noexcept { return judged.state == liveness::dead; }
};

/// What the file says, of a living server or not; nothing where there is none. Throws
/// invalid_port_file, and error where the file cannot be read or is not to be trusted.
std::optional<record> read(const location& where, read_mode how = read_mode::may_block);

/// What the file says if its server lives, for all that is known. A stale file is removed.
std::optional<record> read_live(const location& where,
                                const liveness_strategy& strategy = default_liveness());

/// What is there and how it is judged. Changes nothing. With read_mode::cached it never waits for
/// the disk and throws would_block where it would have to.
std::optional<finding> examine(const location& where,
                               const liveness_strategy& strategy = default_liveness(),
                               read_mode how = read_mode::may_block);

/// Removes the file if it is stale, and returns what it said. Leaves it to another process that
/// is changing it at this moment.
std::optional<record> remove_stale(const location& where,
                                   const liveness_strategy& strategy = default_liveness());

}  // namespace berth
