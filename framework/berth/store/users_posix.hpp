// The users of this system, for messages, and the one who called sudo(8). Reads /etc/passwd itself:
// getpwuid(3) loads shared libraries into a static program. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace berth {

/// "mallory (uid 1001)"; "uid 1001" if /etc/passwd does not list the user.
std::string user_name(std::uint32_t user);
/// The user's home directory; empty if /etc/passwd does not list the user.
std::filesystem::path home_of(std::uint32_t user);

/// The id of its caller that sudo(8) leaves in `variable`, SUDO_UID or SUDO_GID; nullopt unless
/// this process is root. Takes no system call if the variable is not set.
std::optional<std::uint32_t> id_of_sudo(const char* variable) noexcept;

/// As open(2) with O_CREAT and mode 0600. A file that it creates under sudo in a directory of the
/// caller's belongs to the caller, whom a file of root's would lock out.
int open_or_create(const char* path, int flags) noexcept;
/// The same with O_EXCL.
int create_new(const char* path, int flags) noexcept;
/// As mkdir(2) with mode 0700; under sudo, the new directory is the caller's if its parent is.
int make_own_directory(const char* path) noexcept;

}  // namespace berth
