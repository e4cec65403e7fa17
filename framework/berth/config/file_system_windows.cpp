#include <berth/config/file_system.hpp>

namespace berth {

// Volumes have roots of their own here: the way up ends there by itself.
std::uint64_t device_of(const std::filesystem::path&) noexcept { return 0; }

}  // namespace berth
