// Gives bytes to the kernel without waiting, past libuv's queue, which must be empty. One file per
// platform. Private to io/.
#pragma once

#include <cstddef>
#include <span>

#include <uv.h>

namespace berth {

/// The most bytes that the kernel is given at once, so that an endless write lets others run.
inline constexpr std::size_t most_sent_at_once = 1024 * 1024;

/// Returns how many bytes the kernel took, at least one, or a libuv status: UV_EAGAIN if it has no
/// room. `socket` is a handle of a connected stream.
int try_send(uv_stream_t& socket, std::span<const std::byte> bytes) noexcept;

}  // namespace berth
