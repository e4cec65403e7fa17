// Reports when a descriptor that other code reads and writes (a library with sockets of its own) is
// ready. On the loop's thread. The descriptor must stay open until this is destroyed.
#pragma once

#include <functional>

#include <berth/io/event_loop.hpp>

namespace berth {

class descriptor_watch {
 public:
  struct readiness {
    bool readable = false;
    bool writable = false;
  };
  /// Called on the loop with what the descriptor is ready for, or with `failed`; it may destroy
  /// this.
  using function = std::function<void(readiness ready, bool failed)>;

  /// Throws berth::error if it cannot be watched.
  descriptor_watch(event_loop& loop, int descriptor, function told);
  descriptor_watch(const descriptor_watch&) = delete;
  descriptor_watch& operator=(const descriptor_watch&) = delete;
  ~descriptor_watch();

  /// Selects what is reported from now on.
  void tell(readiness wanted);

 private:
  struct core;
  core* core_;
};

}  // namespace berth
