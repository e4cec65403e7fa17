// The common part of the listeners: the connections that libuv has announced and nobody has
// accepted yet. It deletes itself when libuv has closed the handle. Private to io/.
#pragma once

#include <berth/io/stream_core.hpp>
#include <berth/io/uv_error.hpp>
#include <berth/io/wait_point.hpp>

namespace berth {

struct listener_core : wait_point {
  virtual ~listener_core() = default;
  bool ready() const noexcept override { return pending > 0 || status < 0; }
  /// Begins to listen. If that fails, closes the handle and throws berth::error.
  void listen(int bound, int backlog, const std::string& name);
  /// Accepts one announced connection into `made`, which needs a stream to delete it, whatever the
  /// status.
  int accept_into(stream_core& made) noexcept;
  void close() noexcept;
  /// Called before the socket is closed.
  virtual void closing() noexcept {}

  stream_handle native;
  int pending = 0;
  int status = 0;  // of an announcement that failed
};

}  // namespace berth
