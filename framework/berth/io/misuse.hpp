// The error for using a socket, stream, listener or child that is closed or moved from.
#pragma once

#include <string_view>

namespace berth {

/// Throws berth::error: the object of `operation` is closed, or was moved from.
[[noreturn]] void throw_closed(std::string_view operation);

/// `core`, or that error if it is null.
template <typename Core>
Core& check_open(Core* core, std::string_view operation) {
  if (!core) throw_closed(operation);
  return *core;
}

}  // namespace berth
