// What berth adds to the loop of a service: how long a turn of it takes, and how long a client
// waits for an answer, while a thousand look-ups or publishes per second go on in the same process.
#pragma once

#include <berth/io/event_loop.hpp>
#include <berth/store/location.hpp>

#include "harness.hpp"

namespace bench {

/// `live` has a live server, `own` is free. The loop is on this processor, clients on another.
void add_loaded_loop(berth::event_loop& loop, const berth::location& live,
                     const berth::location& own);

/// What a long-lived client pays for the server that its resolver knows.
void add_lookup_from_memory(berth::event_loop& loop, const berth::location& live);

}  // namespace bench
