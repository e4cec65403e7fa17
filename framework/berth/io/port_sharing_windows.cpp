#include <berth/io/port_sharing.hpp>

namespace berth {

int allow_port_sharing(const uv_tcp_t&) noexcept { return UV_ENOTSUP; }

}  // namespace berth
