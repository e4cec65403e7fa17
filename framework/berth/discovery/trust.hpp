// Whom discovery believes: a port file of the caller, of root or of the directory's owner, in a
// directory in which nobody else can exchange files. One file a platform.
#pragma once

#include <cstdint>
#include <filesystem>

#include <berth/discovery/location.hpp>

namespace berth {

/// Throws berth::error where `owner` may not write port files for us.
void check_owner(const path_name& file, std::uint32_t owner);

/// Makes the directory, with its parents, 0700, where it is missing; throws berth::error where it
/// cannot be made, is none, or others may write to it.
void prepare_directory(const std::filesystem::path& directory);

/// Throws berth::error where the directory belongs to another user than the caller.
void check_own(const std::filesystem::path& directory);

}  // namespace berth
