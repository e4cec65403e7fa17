// Several listeners on one port, between which the system spreads the connections. One file a
// platform. Private to io/.
#pragma once

#include <uv.h>

namespace berth {

/// Before it is bound. A status of libuv's; UV_ENOTSUP where the system has no such thing.
int allow_port_sharing(const uv_tcp_t& socket) noexcept;

}  // namespace berth
