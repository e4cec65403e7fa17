#include <berth/io/local.hpp>

#include <memory>

#include <berth/io/close_core.hpp>
#include <berth/io/connect_request.hpp>
#include <berth/io/local_socket.hpp>
#include <berth/io/stream_listener.hpp>

namespace berth {

struct local_listener::core final : listener_core {
  void closing() noexcept override { file.remove(); }
  socket_file file;
};
template struct core_closer<local_listener::core>;

local_listener::local_listener(event_loop& loop, const std::filesystem::path& name, int backlog) {
  core* const listening = new core;
  uv_pipe_init(loop.native(), &listening->native.pipe, 0);
  const std::string text = name.string();
  listening->listen(listening->file.bind(listening->native.pipe, text), backlog, text);
  core_.reset(listening);
}

void local_listener::close() noexcept { core_.reset(); }

local_listener::accept_awaiter local_listener::accept(deadline until) noexcept {
  return accept_awaiter(core_.get(), until);
}

local_listener::accept_awaiter::accept_awaiter(core* from, deadline until) noexcept
    : point_waiter(from, until), core_(from) {}

result<local_stream> local_listener::accept_awaiter::await_resume() {
  if (const auto failed = why_nothing()) return *failed;
  stream_core* const made = stream_core::of_pipe(core_->native.pipe.loop).release();
  const int status = core_->accept_into(*made);
  local_stream connection(made);
  if (status < 0) return failure(uv_error_code(status));
  return connection;
}

bool local_connect_awaiter::start(std::coroutine_handle<> awaiting,
                                  const execution_context& context) {
  const int wrong = check_local_name(name_);
  if (wrong < 0) {
    refused(wrong);
    return ends_at_once(awaiting, context);
  }
  stream_core* const made = stream_core::of_pipe(event_loop::of(context).native()).release();
  request* const begun = begin_request(awaiting, context, made);
  if (!begun) return ends_at_once(awaiting, context);
  uv_pipe_connect(&begun->native, &made->native.pipe, name_.c_str(), request::ended);
  return true;
}

result<local_stream> local_connect_awaiter::await_resume() {
  if (!connected_) return why_not();
  local_stream connection(connected_);
  if (given_up() != stop_reason::none || status_ < 0) return why_not();
  return connection;
}

}  // namespace berth
