// Discovers or starts: returns the live server, and starts one if there is none. However many
// processes call it at once, one of them starts the server and all get the same one; if the starter
// is killed, another takes over. A failed start leaves no process behind. A server whose version
// does not satisfy the caller is asked to stop, and replaced. On the loop's thread; cancellation
// takes effect at once, and ends a start in progress.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <berth/base/result.hpp>
#include <berth/coro/task.hpp>
#include <berth/discovery/hand_over.hpp>
#include <berth/discovery/port_file.hpp>

namespace berth {

struct ensure_options {
  ensure_options() = default;
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);  ///< from the call on
  std::string exact_version;                                    ///< any if empty
  std::string minimum_version;      ///< by its numbers, as in 1.10 after 1.9; any if empty
  std::filesystem::path directory;  ///< where the command runs; ours if empty
  std::optional<std::vector<std::string>> environment;  ///< "NAME=VALUE"; ours if nullopt
  std::filesystem::path log;  ///< for its output; <config_dir>/<instance>.log if empty
};

/// The command could not be started, has ended without publishing, or has not published in time
/// (the code is timed_out then). It no longer runs; the message has the end of its log.
class start_failed : public error {
 public:
  using error::error;
};

/// A live server of another version than the requested one was started a moment ago.
class version_contested : public error {
 public:
  explicit version_contested(std::string message)
      : error(std::move(message), std::make_error_code(std::errc::device_or_resource_busy)) {}
};

/// Starts `command` in a session of its own, with its output in the log (see start_log.hpp), and
/// asks it to publish at `where` (see start_request.hpp). A command that puts its server into the
/// background and exits with status 0 is waited for as long as any of its processes lives. Throws
/// start_failed, version_contested and berth::error; a failure is `timed_out` if another process
/// was starting the server all the time.
task<result<record>> ensure(location where, std::vector<std::string> command,
                            ensure_options options = {});

/// Hand-over: starts `command` beside the live server. The new server replaces the old one's file
/// without a gap when it is ready; the old one then drains, and is awaited. If there is no live
/// server, `command` is started all the same. Both must be services made with berth; throws
/// berth::error if the live one is not. Otherwise throws like ensure.
task<result<record>> replace(location where, std::vector<std::string> command,
                             ensure_options options = {});

/// Whether a server of that version satisfies the options.
bool will_do(const std::string& version, const ensure_options& options);
/// Throws version_contested if the server is younger than ten seconds and its version is not the
/// exact one requested.
void check_not_contested(const location& where, const record& server,
                         const ensure_options& options);
/// The instance for servers of that version, if several versions run side by side: "server-1.2.0".
location location_for_version(location where, const std::string& version);

}  // namespace berth
