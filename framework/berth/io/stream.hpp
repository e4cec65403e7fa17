// A connected stream of bytes. The stream owns its socket and closes it in its destructor; a read
// and a write may wait at the same time, two reads or two writes may not. All on the loop's thread.
// A wait that is cancelled ends at once. A cancelled read loses nothing: what arrives is kept for
// the next one. A cancelled write may have sent a part; close the stream then. Using a stream that
// was closed or moved from throws berth::error.
//
// Reading stays switched on between reads. Up to 64 KiB that nobody has read yet are kept; beyond
// that the stream stops reading, so that the peer is slowed down. A stream that has nothing to keep
// and nothing to send holds no buffer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include <berth/coro/waiter.hpp>
#include <berth/io/unique_core.hpp>

namespace berth {

/// Bytes that streams have carried. Thread-safe.
struct stream_traffic {
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> sent{0};
};

struct stream_core;
extern template struct core_closer<stream_core>;
class stream_watch;

class stream {
 public:
  class read_awaiter;
  class write_awaiter;
  class shutdown_awaiter;

  /// Reads at least one byte into `buffer`, which must not be empty; 0 when the peer has ended.
  inline read_awaiter read_some(std::span<std::byte> buffer,
                                deadline until = deadline::never()) noexcept;
  /// Writes all of `data`. Tries without waiting first; then no more than 64 KiB are copied at a
  /// time.
  inline write_awaiter write_all(std::span<const std::byte> data,
                                 deadline until = deadline::never()) noexcept;
  inline write_awaiter write_all(std::string_view text,
                                 deadline until = deadline::never()) noexcept;
  /// Ends this side after all writes, including one that still waits; the peer then reads 0.
  /// Reading goes on. If it is cancelled while it waits for a write, this side stays open.
  inline shutdown_awaiter shutdown(deadline until = deadline::never()) noexcept;

  /// Closes now. A task that waits on the stream gets `cancelled`.
  void close() noexcept;
  /// Counts its bytes in `traffic` too from now on, which must outlive it.
  void count_in(stream_traffic& traffic) noexcept;
  bool is_open() const noexcept { return core_ != nullptr; }

 protected:
  friend class stream_watch;
  explicit stream(stream_core* core) noexcept : core_(core) {}
  unique_core<stream_core> core_;
};

/// Observes a stream, even after it was moved to another object or closed. One per stream.
class stream_watch {
 public:
  explicit stream_watch(const stream& watched) noexcept;
  stream_watch(const stream_watch&) = delete;
  stream_watch& operator=(const stream_watch&) = delete;
  ~stream_watch();

  /// Whether its owner waits for bytes and has written since the last ones came, if any did.
  bool is_idle() const noexcept;
  /// How often bytes have come.
  std::uint64_t arrivals() const noexcept;

 private:
  friend stream_core;
  stream_core* core_;
};

class [[nodiscard]] stream::read_awaiter final : public waiter {
 public:
  read_awaiter(stream_core* core, std::span<std::byte> buffer, deadline until) noexcept
      : core_(core), buffer_(buffer), until_(until) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    return start(awaiting, awaiting.promise().context());
  }
  result<std::size_t> await_resume() const {
    if (given_up() == stop_reason::none && status_ == 0) return received_;
    return nothing();
  }

 private:
  friend stream_core;
  bool start(std::coroutine_handle<> awaiting, const execution_context& context) noexcept;
  bool abandon() noexcept override;
  /// The result of a read without bytes: 0 at the end, or the failure.
  result<std::size_t> nothing() const;

  stream_core* core_;
  std::span<std::byte> buffer_;
  deadline until_;
  std::size_t received_ = 0;
  int status_ = 0;
};

class [[nodiscard]] stream::write_awaiter final : public waiter {
 public:
  write_awaiter(stream_core* core, std::span<const std::byte> data, deadline until) noexcept
      : core_(core), rest_(data), until_(until) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    return start(awaiting, awaiting.promise().context());
  }
  result<void> await_resume() const {
    if (given_up() == stop_reason::none && status_ == 0) return {};
    return failed();
  }

 private:
  friend stream_core;
  bool start(std::coroutine_handle<> awaiting, const execution_context& context) noexcept;
  bool abandon() noexcept override;
  failure failed() const;

  stream_core* core_;
  std::span<const std::byte> rest_;
  deadline until_;
  int status_ = 0;
};

class [[nodiscard]] stream::shutdown_awaiter final : public waiter {
 public:
  shutdown_awaiter(stream_core* core, deadline until) noexcept : core_(core), until_(until) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    return start(awaiting, awaiting.promise().context());
  }
  result<void> await_resume() const {
    if (given_up() == stop_reason::none && status_ == 0) return {};
    return failed();
  }

 private:
  friend stream_core;
  bool start(std::coroutine_handle<> awaiting, const execution_context& context) noexcept;
  bool abandon() noexcept override;
  failure failed() const;

  stream_core* core_;
  deadline until_;
  int status_ = 0;
};

stream::read_awaiter stream::read_some(std::span<std::byte> buffer, deadline until) noexcept {
  return read_awaiter(core_.get(), buffer, until);
}
stream::write_awaiter stream::write_all(std::span<const std::byte> data, deadline until) noexcept {
  return write_awaiter(core_.get(), data, until);
}
stream::write_awaiter stream::write_all(std::string_view text, deadline until) noexcept {
  return write_awaiter(core_.get(), std::as_bytes(std::span(text)), until);
}
stream::shutdown_awaiter stream::shutdown(deadline until) noexcept {
  return shutdown_awaiter(core_.get(), until);
}

}  // namespace berth
