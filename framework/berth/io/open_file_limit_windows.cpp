#include <limits>

#include <berth/io/open_file_limit.hpp>

namespace berth {

// Sockets have no such limit here.
void allow_open_files(std::size_t) noexcept {}
std::size_t most_open_files() noexcept { return std::numeric_limits<std::size_t>::max(); }
bool can_open_files(event_loop&, std::size_t) noexcept { return true; }

void check_files_of_loop() {}

}  // namespace berth
