// How many files and sockets this process may have open. One file a platform.
#pragma once

#include <cstddef>

namespace berth {

/// Raises the limit to `wanted` where it is lower, as far as this process may.
void allow_open_files(std::size_t wanted) noexcept;

}  // namespace berth
