// Tests whether anything listens at an address. One file per platform; thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace berth {

enum class probe_result {
  answered,
  refused,  ///< by the system that the address belongs to
  no_answer,
};

/// Connects by TCP and closes again. Waits for `longest` at most, plus the look-up of a host that
/// is given by name.
probe_result probe_port(const std::string& host, std::uint16_t port,
                        std::chrono::milliseconds longest) noexcept;

}  // namespace berth
