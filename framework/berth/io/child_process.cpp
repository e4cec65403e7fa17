#include <berth/io/child_process.hpp>

#include <utility>

#include <uv.h>

#include <berth/io/inheritance.hpp>
#include <berth/io/stream_core.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {
namespace {

[[noreturn]] void throw_unusable(std::string_view why) {
  throw error("cannot start a child: " + std::string(why),
              std::make_error_code(std::errc::invalid_argument));
}

void check_usable(const std::vector<std::string>& command, const child_options& options) {
  if (command.empty() || command[0].empty()) throw_unusable("the command is empty");
  for (const auto kind : {options.input, options.output, options.error})
    if (kind == child_options::stream::log && options.log.empty())
      throw_unusable("its output goes to a log, but no log file is named");
}

void check_environment(const std::vector<std::string>& variables) {
  for (const auto& each : variables)
    if (each.find('=') == std::string::npos || each.front() == '=')
      throw_unusable("\"" + each + "\" in its environment is not NAME=VALUE");
}

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  for (const auto& each : words)
    if (each.find('\0') != std::string::npos)
      throw_unusable("an argument or a variable of its environment holds a NUL character");
  std::vector<char*> pointers;
  for (const auto& each : words) pointers.push_back(const_cast<char*>(each.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// The file that a child's output is appended to; none if its path is empty.
class log_file {
 public:
  explicit log_file(const std::filesystem::path& path) {
    if (path.empty()) return;
    uv_fs_t request;
    constexpr int flags = UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_APPEND;
    descriptor_ = uv_fs_open(nullptr, &request, path.string().c_str(), flags, 0600, nullptr);
    uv_fs_req_cleanup(&request);
    check_uv(descriptor_, "open", path.string());
  }
  log_file(const log_file&) = delete;
  log_file& operator=(const log_file&) = delete;
  ~log_file() {
    if (descriptor_ < 0) return;
    uv_fs_t request;
    uv_fs_close(nullptr, &request, descriptor_, nullptr);
    uv_fs_req_cleanup(&request);
  }
  int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_ = -1;
};

uv_stdio_container_t descriptor(int number, child_options::stream kind, stream_core* pipe,
                                const log_file& log) {
  uv_stdio_container_t made{};
  switch (kind) {
    case child_options::stream::inherited:
      made.flags = UV_INHERIT_FD;
      made.data.fd = number;
      break;
    case child_options::stream::log:
      made.flags = UV_INHERIT_FD;
      made.data.fd = log.descriptor();
      break;
    case child_options::stream::none: made.flags = UV_IGNORE; break;
    case child_options::stream::piped:
      // The flags are from the child's point of view.
      made.flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE |
                                               (number == 0 ? UV_READABLE_PIPE : UV_WRITABLE_PIPE));
      made.data.stream = pipe->handle();
      break;
  }
  return made;
}

}  // namespace

struct child_process::core final : wait_point, loop_resident {
  explicit core(event_loop& of) : loop(of) {}
  using wait_point::end_waiting;
  bool ready() const noexcept override { return status.has_value(); }
  void ended(std::int64_t code, int signal) {
    status = exit_status{code, signal};
    // libuv collects all children that have ended before it reports the first of them. Nothing may
    // run in between that would signal one of the others.
    if (left)
      close();
    else
      wake_later();
  }
  void close() noexcept override {
    unlink();  // the loop need not close it any more
    uv_close(reinterpret_cast<uv_handle_t*>(&native),
             [](uv_handle_t* of) { delete static_cast<core*>(of->data); });
    end_waiting();
  }

  event_loop& loop;
  uv_process_t native;
  std::optional<exit_status> status;
  bool detached = false;
  bool left = false;
};

child_process::child_process(event_loop& loop, const std::vector<std::string>& command,
                             const child_options& options)
    : core_(nullptr) {
  check_usable(command, options);
  const log_file log(options.log);
  uv_stdio_container_t streams[] = {
      descriptor(0, options.input, open_pipe(loop, options.input, input), log),
      descriptor(1, options.output, open_pipe(loop, options.output, output), log),
      descriptor(2, options.error, open_pipe(loop, options.error, error), log)};
  auto arguments = pointers_to(command);
  std::vector<char*> environment;
  const std::string directory = options.directory.string();
  uv_process_options_t native{};
  native.file = arguments[0];
  native.args = arguments.data();
  if (options.environment) {
    check_environment(*options.environment);
    environment = pointers_to(*options.environment);
    native.env = environment.data();
  }
  if (!directory.empty()) native.cwd = directory.c_str();
  native.stdio = streams;
  native.stdio_count = 3;
  native.exit_cb = [](uv_process_t* of, std::int64_t code, int signal) {
    static_cast<core*>(of->data)->ended(code, signal);
  };
  if (options.detached) {
    native.flags |= UV_PROCESS_DETACHED;
    keep_descriptors_from_children();
  }
  core_ = new core(loop);
  core_->detached = options.detached;
  core_->native.data = core_;
  const int status = uv_spawn(loop.native(), &core_->native, &native);
  if (status < 0) {
    core_->close();
    check_uv(status, "start", command[0]);
  }
}

/// Our end of the pipe, if there is to be one; otherwise null.
stream_core* child_process::open_pipe(event_loop& loop, child_options::stream kind,
                                      std::optional<local_stream>& ours) {
  if (kind != child_options::stream::piped) return nullptr;
  stream_core* const pipe = stream_core::of_pipe(loop.native()).release();
  ours = local_stream(pipe);
  return pipe;
}

child_process::~child_process() { leave(); }

void child_process::leave() noexcept {
  core* const kept = std::exchange(core_, nullptr);
  if (!kept) return;
  kept->end_waiting();
  if (kept->status) return kept->close();
  kept->left = true;
  uv_unref(reinterpret_cast<uv_handle_t*>(&kept->native));
  kept->loop.adopt(*kept);
}

void child_process::kill_session(int signal) {
  if (check_open(core_, "signal a child").status) return;
  if (!core_->detached || uv_kill(-pid(), signal) != 0) kill(signal);
}

int child_process::pid() const {
  return uv_process_get_pid(&check_open(core_, "read the pid of a child").native);
}

// It may have ended a moment ago.
void child_process::kill(int signal) {
  if (check_open(core_, "signal a child").status) return;
  const int status = uv_process_kill(&core_->native, signal);
  if (status != UV_ESRCH) check_uv(status, "signal", "a child");
}

child_process::awaiter::awaiter(core* of, deadline until) noexcept
    : point_waiter(of, until), core_(of) {}

result<exit_status> child_process::awaiter::await_resume() {
  if (const auto failed = why_nothing()) return *failed;
  return *core_->status;
}

child_process::awaiter child_process::wait(deadline until) noexcept {
  return awaiter(core_, until);
}

}  // namespace berth
