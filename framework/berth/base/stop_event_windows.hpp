// Windows has no signal by which another process asks this one to end. An event takes its place:
// its name holds the pid of the process that is asked, and any process that may open it may ask.
#pragma once

#include <cstdint>
#include <string>

namespace berth {

inline std::wstring stop_event_name(std::uint32_t pid) {
  return L"Local\\berth-stop-" + std::to_wstring(pid);
}

}  // namespace berth
