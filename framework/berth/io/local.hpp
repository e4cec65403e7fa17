// Streams within this machine, by the same interface as TCP: Unix sockets, whose name is a path,
// and named pipes on Windows, whose name begins with \\.\pipe\. All on the loop's thread;
// cancelling is as for TCP.
#pragma once

#include <filesystem>

#include <berth/io/event_loop.hpp>
#include <berth/io/stream.hpp>
#include <berth/io/stream_connect.hpp>
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
  /// Binds and listens; the socket is made with the mode that umask(2) leaves, and removed at the
  /// end. Throws berth::error, also where there is a file of that name already: what a process
  /// left that was killed is to be removed by who knows that nobody uses it.
  local_listener(event_loop& loop, const std::filesystem::path& name, int backlog = 1024);
  local_listener(local_listener&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  local_listener& operator=(local_listener&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~local_listener() { close(); }

  class accept_awaiter;
  /// The next connection. One accept may wait at a time.
  accept_awaiter accept(deadline until = deadline::never()) noexcept;

  void close() noexcept;

 private:
  struct core;
  core* core_;
};

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
