// A connected stream of bytes. The stream owns its socket and closes it at its end; a read and a
// write may wait at the same time, two reads or two writes may not. All on the loop's thread.
// A wait that is cancelled ends at once. A cancelled read loses nothing: what arrives is kept for
// the next one. A cancelled write may have sent a part; close the stream then.
//
// Reading stays switched on between reads. Up to 64 KiB of what nobody has asked for yet are kept;
// beyond that the stream stops reading, so that the peer is slowed down.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include <berth/coro/waiter.hpp>

namespace berth {

/// Bytes that streams have carried. Any thread.
struct stream_traffic {
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> sent{0};
};

struct stream_core;

class stream {
 public:
  class read_awaiter;
  class write_awaiter;
  class shutdown_awaiter;

  stream(stream&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  stream& operator=(stream&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~stream() { close(); }

  /// At least one byte into `buffer`, which must not be empty; 0 when the peer has ended.
  inline read_awaiter read_some(std::span<std::byte> buffer,
                                deadline until = deadline::never()) noexcept;
  /// All of `data`. Tries without waiting first; then no more than 64 KiB are copied at a time.
  inline write_awaiter write_all(std::span<const std::byte> data,
                                 deadline until = deadline::never()) noexcept;
  inline write_awaiter write_all(std::string_view text,
                                 deadline until = deadline::never()) noexcept;
  /// Ends this side after what was written; the peer reads 0 then. Reading goes on.
  inline shutdown_awaiter shutdown(deadline until = deadline::never()) noexcept;

  /// Closes now. Whoever waits on the stream gets `cancelled`.
  void close() noexcept;
  /// Counts from now on what it carries in `traffic` as well, which must outlive it.
  void count_in(stream_traffic& traffic) noexcept;
  bool is_open() const noexcept { return core_ != nullptr; }

 protected:
  explicit stream(stream_core* core) noexcept : core_(core) {}
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
  result<std::size_t> await_resume() const noexcept {
    if (given_up() == stop_reason::none && status_ == 0) return received_;
    return nothing();
  }

 private:
  friend stream_core;
  bool start(std::coroutine_handle<> awaiting, const execution_context& context) noexcept;
  bool abandon() noexcept override;
  /// The end, or what failed.
  result<std::size_t> nothing() const noexcept;

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
  result<void> await_resume() const noexcept {
    if (given_up() == stop_reason::none && status_ == 0) return {};
    return failed();
  }

 private:
  friend stream_core;
  bool start(std::coroutine_handle<> awaiting, const execution_context& context) noexcept;
  bool abandon() noexcept override;
  failure failed() const noexcept;

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
  result<void> await_resume() const noexcept {
    if (given_up() == stop_reason::none && status_ == 0) return {};
    return failed();
  }

 private:
  friend stream_core;
  bool start(std::coroutine_handle<> awaiting, const execution_context& context) noexcept;
  bool abandon() noexcept override;
  failure failed() const noexcept;

  stream_core* core_;
  deadline until_;
  int status_ = 0;
};

stream::read_awaiter stream::read_some(std::span<std::byte> buffer, deadline until) noexcept {
  return read_awaiter(core_, buffer, until);
}
stream::write_awaiter stream::write_all(std::span<const std::byte> data, deadline until) noexcept {
  return write_awaiter(core_, data, until);
}
stream::write_awaiter stream::write_all(std::string_view text, deadline until) noexcept {
  return write_awaiter(core_, std::as_bytes(std::span(text)), until);
}
stream::shutdown_awaiter stream::shutdown(deadline until) noexcept {
  return shutdown_awaiter(core_, until);
}

}  // namespace berth
