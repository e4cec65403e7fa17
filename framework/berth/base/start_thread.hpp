// Starts a thread, or throws a berth::error that says why the system refused.
#pragma once

#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include <berth/base/error.hpp>

namespace berth {

template <typename Call>
std::thread start_thread(Call call) {
  try {
    return std::thread(std::move(call));
  } catch (const std::system_error& refused) {
    throw error(fmt::format("cannot start a thread: {} (raise the limit on processes, see "
                            "ulimit -u, or the limit on memory)",
                            refused.code().message()),
                refused.code());
  }
}

}  // namespace berth
