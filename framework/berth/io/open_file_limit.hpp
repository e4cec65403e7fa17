// How many files and sockets this process may have open. One file per platform.
#pragma once

#include <cstddef>

namespace berth {

class event_loop;

/// Raises the limit to `wanted` if it is lower, as far as this process may.
void allow_open_files(std::size_t wanted) noexcept;

/// The limit.
std::size_t most_open_files() noexcept;

/// Whether this process can open `count` more files at this moment. Tries it.
bool can_open_files(event_loop& loop, std::size_t count) noexcept;

/// Throws berth::error if this process cannot open the files of one more event loop, because libuv
/// would then end it.
void check_files_of_loop();

}  // namespace berth
