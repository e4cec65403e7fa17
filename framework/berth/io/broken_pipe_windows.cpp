#include <berth/io/broken_pipe.hpp>

namespace berth {

void ignore_broken_pipes() noexcept {}

}  // namespace berth
