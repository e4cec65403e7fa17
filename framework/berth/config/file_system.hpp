// Facts about directories that std::filesystem does not provide. One file per platform.
#pragma once

#include <cstdint>
#include <filesystem>
#include <system_error>

namespace berth {

/// The file system that a directory is on; 0 if that is unknown.
std::uint64_t device_of(const std::filesystem::path& directory) noexcept;

/// Why this process cannot create files in the directory; no error if modes and mounts permit it.
std::error_code write_refusal(const std::filesystem::path& directory) noexcept;

}  // namespace berth
