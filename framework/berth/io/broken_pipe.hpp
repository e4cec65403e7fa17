// SIGPIPE, which a write to a peer that has gone sends, would end the program; the write fails in
// any case. libuv writes without MSG_NOSIGNAL, and pipes have no such flag.
#pragma once

namespace berth {

/// Ignores SIGPIPE in this process unless it has a handler or is ignored already. Children that are
/// started here get the default again, from libuv. No-op if there is no such signal.
void ignore_broken_pipes() noexcept;

}  // namespace berth
