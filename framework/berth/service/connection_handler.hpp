// A function that serves one connection of a service; the connection ends with it.
#pragma once

#include <functional>

#include <berth/coro/task.hpp>
#include <berth/io/tcp.hpp>

namespace berth {

using connection_handler = std::function<task<>(tcp_stream)>;

}  // namespace berth
