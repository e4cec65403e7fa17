// Discovery for coroutines: the same operations without blocking the loop. A look-up in a directory
// that was used before is answered at once from the kernel's caches, and goes to the thread pool,
// as one job, only if it would wait for a disk or a network. Changes of files always go to the
// pool. A job that has begun is finished; a stop is reported as a failure.
#pragma once

#include <optional>

#include <berth/base/result.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/task.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>

namespace berth::async {

/// See berth::read. Fails as absent if there is no file; throws as there if it cannot be read.
task<result<record>> read(location where);

/// See berth::read_live. Fails as absent if no server is live. The strategy must outlive the task.
task<result<record>> read_live(location where,
                               const liveness_strategy& strategy = default_liveness());

/// See berth::examine. Fails as absent if there is no file.
task<result<finding>> examine(location where,
                              const liveness_strategy& strategy = default_liveness());

/// Waits until a live server is published there; watches the directory, or its nearest parent if it
/// does not exist yet, and does not poll.
task<result<record>> wait_live(location where, deadline until = deadline::never(),
                               const liveness_strategy& strategy = default_liveness());

/// Waits until no live server is published there.
task<result<void>> wait_gone(location where, deadline until = deadline::never(),
                             const liveness_strategy& strategy = default_liveness());

/// Waits until the process of that record has ended, or its pid belongs to another process.
task<result<void>> wait_ended(record server, deadline until = deadline::never());

/// See berth::claim.
task<result<claim>> acquire(location where, claim_options options = {});
task<result<claim>> publish(location where, record server, claim_options options = {});
task<result<bool>> intact(claim& owned);
task<result<void>> publish(claim& owned, record server);
task<result<void>> remove(claim& owned);

}  // namespace berth::async
