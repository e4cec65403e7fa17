#include <berth/liveness/process.hpp>

namespace berth {

lock_holder holder_of_lock(std::uint32_t, const file_id&) { return lock_holder::unknown; }

}  // namespace berth
