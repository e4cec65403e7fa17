// Reports when a look-up of a location may have another answer than before: its port file or its
// lock file changed or, while its directory does not exist, the path to it. Construct it before the
// first look-up, or a change in between is missed. On the loop's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <berth/base/result.hpp>
#include <berth/client/change_watch.hpp>
#include <berth/coro/task.hpp>
#include <berth/store/location.hpp>
#include <berth/store/open_file.hpp>

namespace berth {

class lookup_watch {
 public:
  lookup_watch(event_loop& loop, location where);

  /// Waits until there is reason to look again; later changes are reported by the next call. The
  /// watch must outlive the task.
  task<result<void>> changed(deadline until = deadline::never());

 private:
  void attach();
  bool concerns(const std::string& name) const;

  event_loop& loop_;
  location where_;
  std::filesystem::path watched_;
  std::optional<file_id> directory_;  // of the location, while it is the one watched
  std::unique_ptr<change_watch> watch_;
};

}  // namespace berth
