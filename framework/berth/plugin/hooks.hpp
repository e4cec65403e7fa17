// The points of a service's life at which others add behaviour. A hook that throws before
// publishing stops the start, with its name in the message; one that throws later is logged and
// does not stop the others. On the loop's thread; add and remove before run, or from hooks and
// handlers.
#pragma once

#include <berth/config/settings.hpp>
#include <berth/coro/hook_point.hpp>
#include <berth/io/endpoint.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

namespace berth {

struct service_hooks {
  hook_statistics statistics;

  hook_point<server_settings&, const location&> configured{"configured", statistics};
  hook_point<const endpoint&> bound{"bound", statistics};
  hook_point<const record&> stale_found{"stale_found",
                                        statistics};  ///< of a server that ended without a word
  hook_point<record&> publishing{"publishing", statistics};  ///< may add metadata and endpoints
  hook_point<const record&> published{"published", statistics};
  hook_point<> ready{"ready", statistics};
  hook_point<const endpoint&> connection_opened{"connection_opened", statistics};
  hook_point<const endpoint&> connection_closed{"connection_closed", statistics};
  hook_point<stop_reason> draining{"draining", statistics};
  hook_point<> unpublished{"unpublished", statistics};
  hook_point<> stopped{"stopped", statistics};
};

}  // namespace berth
