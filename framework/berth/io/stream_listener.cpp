#include <berth/io/stream_listener.hpp>

namespace berth {

void listener_core::listen(int bound, int backlog, const std::string& name) {
  const auto announced = [](uv_stream_t* of, int announcement) {
    auto& self = *static_cast<listener_core*>(of->data);
    if (announcement < 0)
      self.status = announcement;
    else
      ++self.pending;
    self.wake();
  };
  native.handle.data = this;
  const int failed = bound < 0 ? bound : uv_listen(&native.stream, backlog, announced);
  if (failed == 0) return;
  close();
  check_uv(failed, "listen on", name);
}

int listener_core::accept_into(stream_core& made) noexcept {
  if (status < 0) return std::exchange(status, 0);
  --pending;
  return uv_accept(&native.stream, made.handle());
}

void listener_core::close() noexcept {
  closing();
  uv_close(&native.handle, [](uv_handle_t* of) { delete static_cast<listener_core*>(of->data); });
  end_waiting();
}

}  // namespace berth
