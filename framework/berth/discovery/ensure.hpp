// Discover or start: gives the live server, starting it where there is none. However many call at
// once, in whatever processes, one of them starts it and all get the same server; who was killed
// while starting is followed by another. A server of a version that will not do is asked to stop,
// and replaced. On the loop's thread; a stop is answered at once, and ends what was being started.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <berth/base/result.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/task.hpp>
#include <berth/discovery/port_file.hpp>

namespace berth {

struct ensure_options {
  ensure_options() = default;
  deadline until = deadline::after(std::chrono::seconds(30));
  std::string exact_version;        ///< any where empty
  std::string minimum_version;      ///< by its numbers, as in 1.10 after 1.9; any where empty
  std::filesystem::path directory;  ///< that the command runs in; ours if empty
  std::optional<std::vector<std::string>> environment;  ///< "NAME=VALUE"; ours where not given
  std::filesystem::path log;  ///< of its output; <config_dir>/<instance>.log if empty
};

/// The command could not be started, has ended without publishing, or has not published in time
/// (the code is timed_out then). It does not run any more; the message has the end of its log.
class start_failed : public error {
 public:
  using error::error;
};

/// Starts `command` in a session of its own, with its output in the log, which is kept once more
/// under another name when it has grown beyond 1 MiB. Throws start_failed and berth::error; a
/// failure is `timed_out` where another process was starting the server all the time.
task<result<record>> ensure(location where, std::vector<std::string> command,
                            ensure_options options = {});

/// Hand-over: starts `command` beside the live server, whose file the new one replaces when it is
/// ready, without a moment between; the old one then drains, and is awaited. Starts it all the same
/// where there is none. The command must be a service made with berth, and so must the live server:
/// an error where it is not. Throws as ensure.
task<result<record>> replace(location where, std::vector<std::string> command,
                             ensure_options options = {});

/// The variable by which a started service learns whom it replaces.
inline constexpr const char* replaces_variable = "BERTH_REPLACES";

/// Whether a server of that version will do.
bool will_do(const std::string& version, const ensure_options& options);

}  // namespace berth
