#include <csignal>

#include <berth/client/started_command.hpp>
#include <berth/discovery/port_file.hpp>

namespace berth {

struct started_command::core {
  core(event_loop& loop, const std::vector<std::string>& command, const child_options& options,
       location at)
      : child(loop, command, options), place(std::move(at)) {}
  child_process child;
  location place;
  bool over = false;
};

started_command::started_command(event_loop& loop, std::vector<std::string> command,
                                 started_command_options options) {
  child_options child;
  child.input = child_options::stream::none;
  child.output = child.error = child_options::stream::log;
  child.log = options.log.path;
  child.directory = options.directory;
  child.environment = std::move(options.environment);
  child.detached = true;
  core_ = std::make_unique<core>(loop, command, child, std::move(options.place));
}

started_command::~started_command() {
  if (!core_->over) core_->child.kill_session(SIGTERM);
}

task<result<exit_status>> started_command::ended() {
  const auto how = co_await core_->child.wait();
  if (how) core_->over = true;
  co_return how;
}

task<> started_command::end() {
  if (core_->over) co_return;
  core_->over = true;
  core_->child.kill_session(SIGTERM);
  (void)co_await core_->child.wait(deadline::after(std::chrono::seconds(10)));
}

task<> started_command::end_unless_published() {
  if (!core_->over) {
    const auto published = read_live(core_->place);
    if (published && published->pid == static_cast<std::uint32_t>(core_->child.pid())) {
      co_await leave();
      co_return;
    }
  }
  co_await end();
}

task<> started_command::leave() {
  core_->over = true;
  core_->child.leave();
  co_return;
}

}  // namespace berth
