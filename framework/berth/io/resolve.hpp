// Resolves names to addresses by the system's resolver. Occupies a thread of the pool meanwhile; a
// stop takes effect at once, and a late answer is dropped.
#pragma once

#include <vector>

#include <berth/base/result.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/task.hpp>
#include <berth/io/endpoint.hpp>

namespace berth {

/// Numeric endpoints for `named`, in the system's order of preference; `named` itself if its host
/// is an address already.
task<result<std::vector<endpoint>>> resolve(endpoint named, deadline until = deadline::never());

}  // namespace berth
