// Several listeners on one port, between which the system spreads the connections. One file per
// platform. Private to io/.
#pragma once

#include <uv.h>

namespace berth {

/// Call it before the socket is bound. Returns a libuv status: UV_ENOTSUP if the system cannot
/// share ports.
int allow_port_sharing(const uv_tcp_t& socket) noexcept;

}  // namespace berth
