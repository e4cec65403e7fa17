#include <berth/io/descriptor_watch.hpp>

#include <utility>

#include <fmt/format.h>
#include <uv.h>

#include <berth/io/uv_error.hpp>

namespace berth {

struct descriptor_watch::core {
  uv_poll_t native;
  function told;
};

descriptor_watch::descriptor_watch(event_loop& loop, int descriptor, function told)
    : core_(new core{{}, std::move(told)}) {
  const int status =
      uv_poll_init_socket(loop.native(), &core_->native, static_cast<uv_os_sock_t>(descriptor));
  core_->native.data = core_;
  if (status == 0) return;
  delete core_;
  check_uv(status, "watch", fmt::format("descriptor {}", descriptor));
}

descriptor_watch::~descriptor_watch() {
  uv_close(reinterpret_cast<uv_handle_t*>(&core_->native),
           [](uv_handle_t* of) { delete static_cast<core*>(of->data); });
}

void descriptor_watch::tell(readiness wanted) {
  const int events = (wanted.readable ? UV_READABLE : 0) | (wanted.writable ? UV_WRITABLE : 0);
  if (events == 0) {
    uv_poll_stop(&core_->native);
    return;
  }
  uv_poll_start(&core_->native, events, [](uv_poll_t* of, int status, int ready) {
    const auto told = static_cast<core*>(of->data)->told;  // it may destroy this
    told({(ready & UV_READABLE) != 0, (ready & UV_WRITABLE) != 0}, status < 0);
  });
}

}  // namespace berth
