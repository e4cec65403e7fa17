// The part of a stream that libuv works with: the handle, the bytes that nobody has read yet, and
// the one request of each kind that can be under way. It deletes itself when libuv has closed the
// handle, so a stream, or a coroutine that waits on it, may be destroyed at any time. Private to
// io/.
#pragma once

#include <cstddef>
#include <memory>

#include <uv.h>

#include <berth/io/buffer_pool.hpp>
#include <berth/io/stream.hpp>

namespace berth {

/// A handle of either kind of stream.
union stream_handle {
  uv_handle_t handle;
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;
};

struct stream_core {
  static constexpr std::size_t high_water = pooled_buffer::size;
  ~stream_core() {
    if (watch) watch->core_ = nullptr;
  }

  /// The core of a TCP socket, or of a pipe, that is not connected yet.
  static std::unique_ptr<stream_core> of_tcp(uv_loop_t* loop);
  static std::unique_ptr<stream_core> of_pipe(uv_loop_t* loop);

  uv_stream_t* handle() noexcept { return &native.stream; }
  bool start_reading() noexcept;
  std::size_t take_kept(std::span<std::byte> into) noexcept;
  /// Sends as much of the writer's remaining bytes as the kernel takes; returns true when no more
  /// is to do.
  bool send(stream::write_awaiter& from) noexcept;
  /// Shuts down once no write waits; false if that failed at once.
  bool start_shutdown(stream::shutdown_awaiter& from) noexcept;
  /// Call it when no write waits any more: continues a shutdown that waited for that.
  void end_writing() noexcept;
  void close() noexcept;

  stream_handle native;
  stream_traffic* traffic = nullptr;  // where to count, if anywhere
  stream_watch* watch = nullptr;
  std::uint64_t arrivals = 0;
  bool answered = true;  // nothing has come since the last write

  stream::read_awaiter* reader = nullptr;
  pooled_buffer kept;
  std::size_t kept_begin = 0;
  std::size_t kept_end = 0;
  int read_status = 0;  // UV_EOF or an error, once that was read
  bool reading = false;

  stream::write_awaiter* writer = nullptr;
  uv_write_t write_request;
  pooled_buffer sending;
  bool write_pending = false;

  stream::shutdown_awaiter* closer = nullptr;
  uv_shutdown_t shutdown_request;
  bool shutdown_pending = false;

 private:
  void read(ssize_t length, const uv_buf_t& buffer) noexcept;
  void wrote(int status) noexcept;
  int ask_for_shutdown() noexcept;
  /// Has libuv send a part when the kernel has room again.
  int send_later(stream::write_awaiter& from) noexcept;
  void count_sent(stream::write_awaiter& from, std::size_t size) noexcept;
};

}  // namespace berth
