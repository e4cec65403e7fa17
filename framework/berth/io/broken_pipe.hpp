// A write to a peer that has gone raises SIGPIPE, which would end the program; the write fails in
// any case. libuv writes without MSG_NOSIGNAL, and pipes have no such flag.
#pragma once

namespace berth {

/// Ignores SIGPIPE in this process unless it has a handler or is ignored already. libuv restores
/// the default in children. No-op if there is no such signal.
void ignore_broken_pipes() noexcept;

}  // namespace berth
