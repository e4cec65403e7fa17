// The command is made of several parts, so that the most frequent question loads only what it
// needs. The parts are beside each other, or in libexec.
#pragma once

#include <filesystem>

namespace berth::cli {

/// The path of that part; empty if it is missing.
std::filesystem::path find_part(const char* part);

/// Replaces this process with that part, called with these arguments. Returns only if that fails.
void exec_part(const char* part, char* const* arguments) noexcept;

}  // namespace berth::cli
