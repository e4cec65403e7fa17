// Reports when to look at a directory again: as soon as something in it changes or, if the system
// cannot watch it (Linux lets a user have 128 inotify instances), every 100 ms until it can. The
// latter is logged once per process. On the loop's thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <berth/base/result.hpp>
#include <berth/coro/task.hpp>
#include <berth/io/directory_watch.hpp>

namespace berth {

class change_watch {
 public:
  /// Throws berth::error if there is no such directory.
  change_watch(event_loop& loop, std::filesystem::path directory);

  /// The name of what changed, without its directory; empty if only that something may have changed
  /// is known. The watch must outlive the task.
  task<result<std::string>> next(deadline until = deadline::never());

 private:
  void try_to_watch();

  event_loop& loop_;
  std::filesystem::path directory_;
  std::optional<directory_watch> watch_;
  unsigned looks_ = 0;  // since the system refused to watch
};

}  // namespace berth
