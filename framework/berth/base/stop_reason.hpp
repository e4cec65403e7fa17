// Why a wait was given up. Cancellation carries one of these from the place that asks to the
// result of every wait it ends, so that a log line can say more than "cancelled".
#pragma once

#include <cstdint>
#include <string_view>

namespace berth {

enum class stop_reason : std::uint8_t {
  none,
  requested,       ///< explicitly, by the program
  deadline,        ///< a timeout or a deadline passed
  sibling_won,     ///< another branch of a when_any finished first
  sibling_failed,  ///< another task of the scope or when_all threw
  shutdown,        ///< the event loop or the service ends
};

constexpr std::string_view to_string(stop_reason reason) noexcept {
  switch (reason) {
    case stop_reason::none: return "none";
    case stop_reason::requested: return "requested";
    case stop_reason::deadline: return "deadline passed";
    case stop_reason::sibling_won: return "another branch finished first";
    case stop_reason::sibling_failed: return "a sibling failed";
    case stop_reason::shutdown: return "shutting down";
  }
  return "unknown";
}

}  // namespace berth
