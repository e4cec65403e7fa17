// The points at which others see, and may hold up, what a long-lived client looks up. On the loop's
// thread; must outlive the resolvers that have it. What a hook throws is logged.
#pragma once

#include <optional>

#include <berth/coro/hook_point.hpp>
#include <berth/discovery/location.hpp>
#include <berth/discovery/record.hpp>

namespace berth {

struct client_hooks {
  hook_statistics statistics;

  hook_point<const location&> resolving{"resolving", statistics};  ///< before each look
  /// After a look that found another server than the one before, or none any more.
  hook_point<const std::optional<record>&> resolved{"resolved", statistics};
};

}  // namespace berth
