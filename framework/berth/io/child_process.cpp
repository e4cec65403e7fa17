#include <berth/io/child_process.hpp>

#include <optional>
#include <utility>

#include <uv.h>

#include <berth/io/uv_error.hpp>

namespace berth {

struct child_process::core final : wait_point {
  bool ready() const noexcept override { return status.has_value(); }
  void ended(std::int64_t code, int signal) {
    status = exit_status{code, signal};
    wake();
  }

  uv_process_t native;
  std::optional<exit_status> status;
};

child_process::child_process(event_loop& loop, const std::vector<std::string>& command)
    : core_(new core) {
  std::vector<char*> arguments;
  for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);

  uv_stdio_container_t streams[3];
  for (int i = 0; i < 3; ++i) {
    streams[i].flags = UV_INHERIT_FD;
    streams[i].data.fd = i;
  }
  uv_process_options_t options{};
  options.file = arguments[0];
  options.args = arguments.data();
  options.stdio = streams;
  options.stdio_count = 3;
  options.exit_cb = [](uv_process_t* of, std::int64_t code, int signal) {
    static_cast<core*>(of->data)->ended(code, signal);
  };
  core_->native.data = core_;
  const int status = uv_spawn(loop.native(), &core_->native, &options);
  if (status < 0) {
    uv_close(reinterpret_cast<uv_handle_t*>(&core_->native),
             [](uv_handle_t* of) { delete static_cast<core*>(of->data); });
    check_uv(status, "start", command[0]);
  }
}

child_process::~child_process() {
  uv_close(reinterpret_cast<uv_handle_t*>(&core_->native),
           [](uv_handle_t* of) { delete static_cast<core*>(of->data); });
}

int child_process::pid() const noexcept { return uv_process_get_pid(&core_->native); }

void child_process::kill(int signal) noexcept { uv_process_kill(&core_->native, signal); }

child_process::awaiter::awaiter(core* of, deadline until) noexcept
    : point_waiter(of, until), core_(of) {}

result<exit_status> child_process::awaiter::await_resume() const noexcept {
  if (const auto failed = why_nothing()) return *failed;
  return *core_->status;
}

child_process::awaiter child_process::wait(deadline until) noexcept {
  return awaiter(core_, until);
}

}  // namespace berth
