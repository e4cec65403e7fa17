// The inotify instance that the directory watches of one loop share: a user may have few of them.
// On the loop's thread. Private to io/.
#pragma once

#include <sys/inotify.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include <uv.h>

#include <berth/io/event_loop.hpp>

namespace berth {

class inotify_queue {
 public:
  class listener {
   public:
    /// An event of a directory that this listener watches.
    virtual void happened(int watch, std::uint32_t what, const char* name) = 0;
    /// The kernel dropped events.
    virtual void overflowed() = 0;

   protected:
    ~listener() = default;
  };

  /// The queue of `loop`. Throws berth::error, which names the limit, if the system refuses one.
  static std::shared_ptr<inotify_queue> of(event_loop& loop);
  explicit inotify_queue(event_loop& loop);
  inotify_queue(const inotify_queue&) = delete;
  inotify_queue& operator=(const inotify_queue&) = delete;
  ~inotify_queue();

  /// Watches a directory. Returns the number of the watch, or -1 with errno set.
  int add(const std::filesystem::path& directory, listener& told);
  void remove(int watch, listener& told) noexcept;

 private:
  void read();
  void dispatch(const inotify_event& event, const char* name);
  std::vector<listener*> listeners_of(int watch) const;

  int descriptor_;
  uv_poll_t* poll_;
  std::multimap<int, listener*> listeners_;
};

}  // namespace berth
