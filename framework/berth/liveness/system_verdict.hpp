// The verdict that a record's machine and boot allow, before any lock or process is examined.
#pragma once

#include <optional>

#include <berth/liveness/liveness.hpp>
#include <berth/liveness/process.hpp>

namespace berth {

/// The verdict if another machine wrote the record, or this one before it was restarted.
inline std::optional<verdict> verdict_of_system(const record& server) {
  switch (system_of(server.origin)) {
    case record_system::another:
      return verdict{liveness::unknown, "it was written on another machine"};
    case record_system::rebooted:
      return verdict{liveness::dead, "the machine has been restarted since"};
    case record_system::this_one:
    case record_system::unknown: break;
  }
  return std::nullopt;
}

}  // namespace berth
