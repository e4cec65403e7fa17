// Gives bytes to the kernel without waiting, past the queue of libuv, in which there must be
// nothing. One file a platform. Private to io/.
#pragma once

#include <cstddef>
#include <span>

#include <uv.h>

namespace berth {

/// As much as the kernel is given at once, so that a write with no end lets others run.
inline constexpr std::size_t most_sent_at_once = 1024 * 1024;

/// How many bytes the kernel took, at least one; or a status of libuv's: UV_EAGAIN where it has no
/// room. `socket` is a handle of a connected stream.
int try_send(uv_stream_t& socket, std::span<const std::byte> bytes) noexcept;

}  // namespace berth
