#include <berth/io/inheritance.hpp>

namespace berth {

// libuv names the handles that a child gets; it gets no others.
void keep_descriptors_from_children() noexcept {}

}  // namespace berth
