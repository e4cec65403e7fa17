// Tells when looking up a location may have another answer than before: its port file or its lock
// file changed, or the way to its directory while that does not exist. Make it before looking, so
// that no change falls between. On the loop's thread.
#pragma once

#include <optional>
#include <string>

#include <berth/base/result.hpp>
#include <berth/coro/task.hpp>
#include <berth/discovery/location.hpp>
#include <berth/io/directory_watch.hpp>

namespace berth {

class lookup_watch {
 public:
  /// Throws berth::error where nothing can be watched.
  lookup_watch(event_loop& loop, location where);

  /// Until there is reason to look again. The watch must outlive the task.
  task<result<void>> changed(deadline until = deadline::never());

 private:
  bool concerns(const std::string& name) const;

  location where_;
  std::filesystem::path watched_;
  std::optional<directory_watch> watch_;
};

}  // namespace berth
