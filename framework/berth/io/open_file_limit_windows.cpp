#include <berth/io/open_file_limit.hpp>

namespace berth {

void allow_open_files(std::size_t) noexcept {}  // sockets have no such limit here

}  // namespace berth
