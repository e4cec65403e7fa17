// The record of a server that runs in this process. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include <berth/record/record.hpp>

namespace berth {

/// Describes this process as it starts to serve at `host` and `port`, now, with a new random
/// instance id.
record describe_this_process(std::string host, std::uint16_t port, std::string version);

}  // namespace berth
