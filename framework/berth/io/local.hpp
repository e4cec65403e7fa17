// Streams within this machine, by the same interface as TCP: Unix sockets, whose name is a path,
// and named pipes on Windows, whose name begins with \\.\pipe\. All on the loop's thread;
// cancelling is as for TCP.
#pragma once

#include <filesystem>

#include <berth/io/event_loop.hpp>
#include <berth/io/stream.hpp>
#include <berth/io/stream_connect.hpp>
#include <berth/io/unique_core.hpp>
#include <berth/io/wait_point.hpp>

namespace berth {

class local_stream : public stream {
 private:
  friend class local_listener;
  friend class local_connect_awaiter;
  friend class child_process;
  explicit local_stream(stream_core* core) noexcept : stream(core) {}
};

class local_listener {
 public:
  /// Binds and listens; the socket's file is created with the mode that umask(2) permits, and
  /// removed at the end unless it belongs to another socket by then. Throws berth::error if the
  /// name is empty or too long (107 bytes on Linux), or if there is such a file already: a killed
  /// process leaves its socket file, and the caller must remove it.
  local_listener(event_loop& loop, const std::filesystem::path& name, int backlog = 1024);

  class accept_awaiter;
  /// The next connection. One accept may wait at a time.
  accept_awaiter accept(deadline until = deadline::never()) noexcept;

  void close() noexcept;

 private:
  struct core;
  unique_core<core> core_;
};

extern template struct core_closer<local_listener::core>;

class [[nodiscard]] local_listener::accept_awaiter final : public point_waiter {
 public:
  accept_awaiter(core* from, deadline until) noexcept;
  result<local_stream> await_resume();

 private:
  core* core_;
};

class [[nodiscard]] local_connect_awaiter final : public stream_connect {
 public:
  local_connect_awaiter(std::string name, deadline until) noexcept
      : stream_connect(until), name_(std::move(name)) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    return start(awaiting, awaiting.promise().context());
  }
  result<local_stream> await_resume();

 private:
  bool start(std::coroutine_handle<> awaiting, const execution_context& context);

  std::string name_;
};

inline local_connect_awaiter local_connect(const std::filesystem::path& name,
                                           deadline until = deadline::never()) {
  return local_connect_awaiter(name.string(), until);
}

}  // namespace berth
