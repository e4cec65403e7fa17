#include <berth/io/inotify_queue.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

#include <berth/base/error.hpp>
#include <berth/io/thread_pool.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {
namespace {

constexpr std::uint32_t watched = IN_ATTRIB | IN_CREATE | IN_MODIFY | IN_DELETE | IN_DELETE_SELF |
                                  IN_MOVE_SELF | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;

/// EMFILE has two causes, and its usual advice is wrong for one of them.
[[noreturn]] void throw_no_instance() {
  const int why = errno;
  const int another = why == EMFILE ? ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0) : -1;
  if (another < 0 && !(why == EMFILE && errno == EBADF))
    throw error({why, std::system_category()}, "watch directories");
  if (another >= 0) ::close(another);
  throw error(
      "cannot watch directories: this user has no inotify instance left (raise the limit with "
      "sysctl fs.inotify.max_user_instances, or end programs that watch files)",
      {why, std::system_category()});
}

struct closing {
  uv_work_t native;
  int descriptor;
};

// Linux does not return from close(2) of an inotify instance before every process has left the
// kernel's code that reads its watches (fsnotify_destroy_group, synchronize_srcu): on a busy
// machine that takes seconds, and would block the loop.
void close_on_pool(uv_loop_t* loop, int descriptor) noexcept {
  std::unique_ptr<closing> made(thread_pool_starts() ? new (std::nothrow) closing : nullptr);
  if (made) {
    made->native.data = made.get();
    made->descriptor = descriptor;
    const int status = uv_queue_work(
        loop, &made->native,
        [](uv_work_t* native) { ::close(static_cast<closing*>(native->data)->descriptor); },
        [](uv_work_t* native, int) { delete static_cast<closing*>(native->data); });
    if (status == 0) {
      (void)made.release();
      return;
    }
  }
  ::close(descriptor);
}

}  // namespace

std::shared_ptr<inotify_queue> inotify_queue::of(event_loop& loop) {
  auto shared = std::static_pointer_cast<inotify_queue>(loop.shared_by_watches().lock());
  if (!shared) {
    shared = std::make_shared<inotify_queue>(loop);
    loop.shared_by_watches() = shared;
  }
  return shared;
}

inotify_queue::inotify_queue(event_loop& loop)
    : descriptor_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), poll_(nullptr) {
  if (descriptor_ < 0) throw_no_instance();
  auto made = std::make_unique<uv_poll_t>();
  const int status = uv_poll_init(loop.native(), made.get(), descriptor_);
  if (status < 0) ::close(descriptor_);
  check_uv(status, "watch directories");
  poll_ = made.release();
  poll_->data = this;
  uv_poll_start(poll_, UV_READABLE,
                [](uv_poll_t* of, int, int) { static_cast<inotify_queue*>(of->data)->read(); });
}

inotify_queue::~inotify_queue() {
  uv_loop_t* const loop = poll_->loop;
  uv_close(reinterpret_cast<uv_handle_t*>(poll_),
           [](uv_handle_t* of) { delete reinterpret_cast<uv_poll_t*>(of); });
  close_on_pool(loop, descriptor_);
}

int inotify_queue::add(const std::filesystem::path& directory, listener& told) {
  const int watch = ::inotify_add_watch(descriptor_, directory.c_str(), watched);
  if (watch < 0) return watch;
  const auto [first, last] = listeners_.equal_range(watch);
  if (std::none_of(first, last, [&told](const auto& each) { return each.second == &told; }))
    listeners_.emplace(watch, &told);
  return watch;
}

void inotify_queue::remove(int watch, listener& told) noexcept {
  const auto [first, last] = listeners_.equal_range(watch);
  const auto its = std::find_if(first, last, [&told](const auto& e) { return e.second == &told; });
  if (its == last) return;
  listeners_.erase(its);
  if (!listeners_.contains(watch)) ::inotify_rm_watch(descriptor_, watch);
}

std::vector<inotify_queue::listener*> inotify_queue::listeners_of(int watch) const {
  std::vector<listener*> all;
  const auto [first, last] = listeners_.equal_range(watch);
  for (auto each = first; each != last; ++each) all.push_back(each->second);
  return all;
}

// Reads only a few buffers in one turn of the loop: the rest makes the instance readable again.
void inotify_queue::read() {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  for (int i = 0; i < 4; ++i) {
    const ssize_t size = ::read(descriptor_, buffer.data(), buffer.size());
    if (size <= 0) return;
    for (const char* at = buffer.data(); at < buffer.data() + size;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(at);
      dispatch(event, event.len > 0 ? event.name : "");
      at += sizeof(inotify_event) + event.len;
    }
  }
}

void inotify_queue::dispatch(const inotify_event& event, const char* name) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) {
    std::vector<listener*> all;
    for (const auto& each : listeners_) all.push_back(each.second);
    for (listener* const each : all) each->overflowed();
    return;
  }
  for (listener* const each : listeners_of(event.wd)) each->happened(event.wd, event.mask, name);
}

}  // namespace berth
