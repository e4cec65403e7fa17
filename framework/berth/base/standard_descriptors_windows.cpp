#include <berth/base/standard_descriptors.hpp>

namespace berth {

// Files have handles here, which are never those of the standard streams.
void reserve_standard_descriptors() noexcept {}

}  // namespace berth
