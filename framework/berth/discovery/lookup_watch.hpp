// Tells when looking up a location may have another answer than before: something changed in its
// directory, or in the nearest one there is while that does not exist. Make it before looking, so
// that no change falls between. On the loop's thread.
#pragma once

#include <berth/discovery/location.hpp>
#include <berth/io/directory_watch.hpp>

namespace berth {

class lookup_watch {
 public:
  /// Throws berth::error where nothing can be watched.
  lookup_watch(event_loop& loop, const location& where);

  directory_watch::awaiter changed(deadline until = deadline::never()) noexcept {
    return watch_.next(until);
  }

 private:
  directory_watch watch_;
};

}  // namespace berth
