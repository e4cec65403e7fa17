// Reports changes in one directory: a name created, changed, moved or removed. Changes are kept
// until next() takes them, each name once; a change may be reported more than once, but is not
// missed. If the kernel dropped events, or the directory itself was removed, moved away or created
// again (on Linux), that is reported as a change without a name, and the directory that then has
// the path is watched. On the loop's thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <berth/io/event_loop.hpp>
#include <berth/io/wait_point.hpp>

namespace berth {

class directory_watch {
 public:
  /// Watches from now on. Throws berth::error if there is no such directory, or if a limit of the
  /// system is reached, naming it.
  directory_watch(event_loop& loop, const std::filesystem::path& directory);
  directory_watch(const directory_watch&) = delete;
  directory_watch& operator=(const directory_watch&) = delete;
  ~directory_watch();

  class awaiter;
  /// The name of what changed, without its directory; empty if it is only known that something did:
  /// look at everything then. Fails if the directory can be watched no longer. One task may wait at
  /// a time.
  awaiter next(deadline until = deadline::never()) noexcept;

 private:
  struct core;
  std::unique_ptr<core> core_;
};

class [[nodiscard]] directory_watch::awaiter final : public point_waiter {
 public:
  awaiter(core* of, deadline until) noexcept;
  result<std::string> await_resume();

 private:
  core* core_;
};

}  // namespace berth
