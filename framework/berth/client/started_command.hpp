// A command that is on its way to become a server, together with every process that it starts in
// turn. Until the command is left to itself, all of them end with this object, and with this
// process, however that ends. On the loop's thread.
//
// On Linux a process of its own stands between the two for that time: it adopts what the command
// puts into the background, and notices when this process is killed.
//
//   started_command command(loop, {"my-server"}, options);
//   const auto how = co_await command.ended();  // or, once it has published: co_await leave()
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <berth/base/result.hpp>
#include <berth/coro/task.hpp>
#include <berth/discovery/start_log.hpp>
#include <berth/io/child_process.hpp>
#include <berth/store/location.hpp>

namespace berth {

struct started_command_options {
  location place;  ///< if a process of the command has published here, it outlives this process
  start_log log;
  std::filesystem::path directory;       ///< ours if empty
  std::vector<std::string> environment;  ///< "NAME=VALUE"
};

class started_command {
 public:
  /// Throws berth::error. A command that cannot be executed is reported by ended().
  started_command(event_loop& loop, std::vector<std::string> command,
                  started_command_options options);
  started_command(const started_command&) = delete;
  started_command& operator=(const started_command&) = delete;
  /// Ends it without waiting for that, unless it has ended or was left.
  ~started_command();

  /// Waits until the command has failed, or has ended with status 0 and none of its processes is
  /// left. Throws berth::error if it could not be executed.
  task<result<exit_status>> ended();
  /// Ends all its processes, and waits for that: by SIGTERM, two seconds later by SIGKILL.
  task<> end();
  /// The same, but a command whose server has published is left to itself: others may use it.
  task<> end_unless_published();
  /// Leaves it to itself: it is nobody's child here any more.
  task<> leave();

 private:
  struct core;
  std::unique_ptr<core> core_;
};

}  // namespace berth
