// The addresses that a name stands for, asked of the system. Takes a thread of the pool while it
// asks; a stop is answered at once, and a late answer is dropped.
#pragma once

#include <vector>

#include <berth/base/result.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/task.hpp>
#include <berth/io/endpoint.hpp>

namespace berth {

/// Numeric endpoints for `named`, in the system's order of preference; itself where its host is
/// an address already.
task<result<std::vector<endpoint>>> resolve(endpoint named, deadline until = deadline::never());

}  // namespace berth
