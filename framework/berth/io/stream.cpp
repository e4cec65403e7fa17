#include <berth/io/stream.hpp>

#include <algorithm>
#include <cstring>
#include <limits>

#include <berth/io/close_core.hpp>
#include <berth/io/misuse.hpp>
#include <berth/io/stream_core.hpp>
#include <berth/io/try_send.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {
namespace {

// On Windows libuv hands the buffer to the kernel ahead of the data, where a cancelled read could
// not take it back: bytes go through the kept buffer there.
#ifdef _WIN32
constexpr bool reads_into_reader = false;
#else
constexpr bool reads_into_reader = true;
#endif

stream_core& core_of(void* handle) {
  return *static_cast<stream_core*>(static_cast<uv_handle_t*>(handle)->data);
}

// A write of as many bytes as the kernel is given at once takes all turns, and so lets others run.
constexpr std::size_t bytes_per_turn = most_sent_at_once / turns_at_once;

uv_buf_t buffer_of(const std::byte* begin, std::size_t size) {
  using length = decltype(uv_buf_t::len);
  uv_buf_t made;
  made.base = reinterpret_cast<char*>(const_cast<std::byte*>(begin));
  made.len = static_cast<length>(std::min<std::size_t>(size, std::numeric_limits<length>::max()));
  return made;
}

template <typename Awaiter>
void finish(Awaiter*& waiting, int status, int Awaiter::* field) noexcept {
  Awaiter* const done = std::exchange(waiting, nullptr);
  if (!done) return;
  done->*field = status;
  done->complete_now();
}

}  // namespace

template struct core_closer<stream_core>;

std::unique_ptr<stream_core> stream_core::of_tcp(uv_loop_t* loop) {
  auto made = std::make_unique<stream_core>();
  uv_tcp_init(loop, &made->native.tcp);
  made->native.handle.data = made.get();
  return made;
}

std::unique_ptr<stream_core> stream_core::of_pipe(uv_loop_t* loop) {
  auto made = std::make_unique<stream_core>();
  uv_pipe_init(loop, &made->native.pipe, 0);
  made->native.handle.data = made.get();
  return made;
}

bool stream_core::start_reading() noexcept {
  if (read_status != 0) return false;
  const auto allocate = [](uv_handle_t* of, std::size_t, uv_buf_t* into) {
    stream_core& self = core_of(of);
    if (reads_into_reader && self.reader) {
      *into = buffer_of(self.reader->buffer_.data(), self.reader->buffer_.size());
      return;
    }
    self.kept.acquire();
    *into = self.kept ? buffer_of(self.kept.get() + self.kept_end, high_water - self.kept_end)
                      : uv_buf_init(nullptr, 0);
  };
  const int status = uv_read_start(handle(), allocate,
                                   [](uv_stream_t* of, ssize_t length, const uv_buf_t* buffer) {
                                     core_of(of).read(length, *buffer);
                                   });
  reading = status == 0;
  if (status < 0) read_status = status;
  return reading;
}

void stream_core::read(ssize_t length, const uv_buf_t& buffer) noexcept {
  if (length <= 0 && kept_end == 0) kept.release();
  if (length == 0) return;
  if (length < 0) {
    uv_read_stop(handle());
    reading = false;
    read_status = static_cast<int>(length);
    finish(reader, read_status, &stream::read_awaiter::status_);
    return;
  }
  const auto size = static_cast<std::size_t>(length);
  if (traffic) traffic->received.fetch_add(size, std::memory_order_relaxed);
  ++arrivals;
  answered = false;
  if (reader && buffer.base == reinterpret_cast<char*>(reader->buffer_.data())) {
    reader->received_ = size;
  } else {
    kept_end += size;
    if (reader) reader->received_ = take_kept(reader->buffer_);
    if (kept_end == high_water) {
      uv_read_stop(handle());
      reading = false;
    }
  }
  finish(reader, 0, &stream::read_awaiter::status_);
}

std::size_t stream_core::take_kept(std::span<std::byte> into) noexcept {
  const std::size_t size = std::min(into.size(), kept_end - kept_begin);
  std::memcpy(into.data(), kept.get() + kept_begin, size);
  kept_begin += size;
  if (kept_begin == kept_end) {
    kept_begin = kept_end = 0;
    kept.release();
  }
  return size;
}

bool stream_core::send(stream::write_awaiter& from) noexcept {
  if (write_pending) return false;  // of a write that was cancelled; ours follows it
  if (from.rest_.empty()) return true;
  const int sent = try_send(native.stream, from.rest_);
  if (sent > 0) {
    count_sent(from, static_cast<std::size_t>(sent));
    if (from.rest_.empty()) return true;
  } else if (sent != UV_EAGAIN && sent != UV_ENOSYS && sent != 0) {
    from.status_ = sent;
    return true;
  }
  from.status_ = send_later(from);
  return from.status_ < 0;
}

int stream_core::send_later(stream::write_awaiter& from) noexcept {
  if (!sending.acquire()) return UV_ENOMEM;
  const std::size_t size = std::min(from.rest_.size(), high_water);
  std::memcpy(sending.get(), from.rest_.data(), size);
  const uv_buf_t later = buffer_of(sending.get(), size);
  const int status = uv_write(&write_request, handle(), &later, 1,
                              [](uv_write_t* of, int end) { core_of(of->handle).wrote(end); });
  if (status < 0) return status;
  write_pending = true;
  count_sent(from, size);
  return 0;
}

void stream_core::count_sent(stream::write_awaiter& from, std::size_t size) noexcept {
  from.rest_ = from.rest_.subspan(size);
  answered = true;
  if (traffic) traffic->sent.fetch_add(size, std::memory_order_relaxed);
}

void stream_core::wrote(int status) noexcept {
  write_pending = false;
  if (writer && status == 0 && !send(*writer)) return;
  sending.release();
  stream::write_awaiter* const done = std::exchange(writer, nullptr);
  end_writing();
  if (!done) return;
  if (status < 0) done->status_ = status;
  done->complete_now();
}

void stream_core::end_writing() noexcept {
  if (!closer || shutdown_pending) return;
  closer->status_ = ask_for_shutdown();
  if (closer->status_ < 0) std::exchange(closer, nullptr)->complete_later();
}

int stream_core::ask_for_shutdown() noexcept {
  const int status = uv_shutdown(&shutdown_request, handle(), [](uv_shutdown_t* of, int end) {
    stream_core& self = core_of(of->handle);
    self.shutdown_pending = false;
    finish(self.closer, end, &stream::shutdown_awaiter::status_);
  });
  shutdown_pending = status == 0;
  return status;
}

bool stream_core::start_shutdown(stream::shutdown_awaiter& from) noexcept {
  if (!writer) from.status_ = ask_for_shutdown();
  if (from.status_ < 0) return false;
  closer = &from;
  return true;
}

void stream_core::close() noexcept {
  uv_close(&native.handle, [](uv_handle_t* of) { delete static_cast<stream_core*>(of->data); });
  const auto cancel = [](auto*& waiting, int& status) {
    status = UV_ECANCELED;
    std::exchange(waiting, nullptr)->complete_later();
  };
  if (reader) cancel(reader, reader->status_);
  if (writer) cancel(writer, writer->status_);
  if (closer) cancel(closer, closer->status_);
}

void stream::close() noexcept { core_.reset(); }

void stream::count_in(stream_traffic& traffic) noexcept {
  if (core_) core_->traffic = &traffic;
}

stream_watch::stream_watch(const stream& watched) noexcept : core_(watched.core_.get()) {
  if (core_) core_->watch = this;
}

stream_watch::~stream_watch() {
  if (core_) core_->watch = nullptr;
}

bool stream_watch::is_idle() const noexcept { return core_ && core_->reader && core_->answered; }

std::uint64_t stream_watch::arrivals() const noexcept { return core_ ? core_->arrivals : 0; }

bool stream::read_awaiter::start(std::coroutine_handle<> awaiting,
                                 const execution_context& context) noexcept {
  const bool stopped = context.stop.stop_requested();
  if (!core_ || buffer_.empty() || core_->reader) {
    status_ = !core_ ? UV_EBADF : buffer_.empty() ? UV_EINVAL : UV_EBUSY;
    return ends_at_once(awaiting, context);
  }
  if (!stopped && core_->kept_begin != core_->kept_end) {
    received_ = core_->take_kept(buffer_);
    return false;
  }
  if (!stopped && !core_->reading && !core_->start_reading()) {
    status_ = core_->read_status;
    return ends_at_once(awaiting, context);
  }
  if (!begin(awaiting, context, until_)) return ends_at_once(awaiting, context);
  core_->reader = this;
  return true;
}

bool stream::read_awaiter::abandon() noexcept {
  core_->reader = nullptr;
  return true;
}

result<std::size_t> stream::read_awaiter::nothing() const {
  if (given_up() != stop_reason::none) return failure::cancelled(given_up());
  if (!core_) throw_closed("read from a stream");
  if (status_ == UV_EOF) return std::size_t{0};
  return failure(uv_error_code(status_));
}

bool stream::write_awaiter::start(std::coroutine_handle<> awaiting,
                                  const execution_context& context) noexcept {
  if (!core_ || core_->writer) {
    status_ = core_ ? UV_EBUSY : UV_EBADF;
    return ends_at_once(awaiting, context);
  }
  const std::size_t size = rest_.size();
  if (!context.stop.stop_requested() && core_->send(*this))
    return ends_at_once(awaiting, context, 1 + static_cast<int>(size / bytes_per_turn));
  if (!begin(awaiting, context, until_)) return ends_at_once(awaiting, context);
  core_->writer = this;
  return true;
}

bool stream::write_awaiter::abandon() noexcept {
  core_->writer = nullptr;
  core_->end_writing();
  return true;
}

failure stream::write_awaiter::failed() const {
  if (given_up() != stop_reason::none) return failure::cancelled(given_up());
  if (!core_) throw_closed("write to a stream");
  return uv_error_code(status_);
}

bool stream::shutdown_awaiter::start(std::coroutine_handle<> awaiting,
                                     const execution_context& context) noexcept {
  if (!core_ || core_->shutdown_pending || core_->closer) {
    status_ = core_ ? UV_EBUSY : UV_EBADF;
    return ends_at_once(awaiting, context);
  }
  if (!begin(awaiting, context, until_)) return ends_at_once(awaiting, context);
  return core_->start_shutdown(*this);
}

bool stream::shutdown_awaiter::abandon() noexcept {
  core_->closer = nullptr;
  return true;
}

failure stream::shutdown_awaiter::failed() const {
  if (given_up() != stop_reason::none) return failure::cancelled(given_up());
  if (!core_) throw_closed("shut down a stream");
  return uv_error_code(status_);
}

}  // namespace berth
