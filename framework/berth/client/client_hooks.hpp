// Points at which hooks observe, and may delay, look-ups of a long-lived client. On the loop's
// thread; must outlive the resolvers that have it. An exception from a hook is logged.
#pragma once

#include <optional>

#include <berth/coro/hook_point.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

namespace berth {

struct client_hooks {
  hook_statistics statistics;

  hook_point<const location&> resolving{"resolving", statistics};  ///< before each look
  /// After a look that found another server than the one before, or none any more.
  hook_point<const std::optional<record>&> resolved{"resolved", statistics};
};

}  // namespace berth
