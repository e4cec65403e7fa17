// The request behind stream_connect. Private to io/.
#pragma once

#include <uv.h>

#include <berth/io/stream_connect.hpp>
#include <berth/io/stream_core.hpp>

namespace berth {

struct stream_connect::request {
  static void ended(uv_connect_t* native, int status);

  uv_connect_t native;
  stream_core* core;
  stream_connect* waiting;  // null once no task waits any more
};

}  // namespace berth
