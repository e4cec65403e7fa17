// What std::filesystem does not tell about directories, one file a platform.
#pragma once

#include <cstdint>
#include <filesystem>

namespace berth {

/// The file system that a directory is on; 0 where that is unknown.
std::uint64_t device_of(const std::filesystem::path& directory) noexcept;

}  // namespace berth
