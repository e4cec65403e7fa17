// A platform's notifications of changes in one directory, for directory_watch. One file per
// platform: inotify on Linux, where libuv hides that the kernel dropped events, and libuv
// elsewhere. Private to io/.
#pragma once

#include <filesystem>
#include <memory>
#include <system_error>

#include <berth/io/event_loop.hpp>

namespace berth {

class directory_listener {
 public:
  /// `name` changed; empty if it is only known that something did. Must not destroy the source.
  virtual void changed(const char* name) = 0;
  /// The directory can be watched no longer.
  virtual void failed(std::error_code why) = 0;

 protected:
  ~directory_listener() = default;
};

class directory_source {
 public:
  virtual ~directory_source() = default;
};

/// Throws berth::error if the directory cannot be watched.
std::unique_ptr<directory_source> watch_directory(event_loop& loop,
                                                  const std::filesystem::path& directory,
                                                  directory_listener& told);

}  // namespace berth
