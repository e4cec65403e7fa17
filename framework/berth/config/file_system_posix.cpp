#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <berth/config/file_system.hpp>

namespace berth {

std::uint64_t device_of(const std::filesystem::path& directory) noexcept {
  struct stat status;
  return ::stat(directory.c_str(), &status) == 0 ? status.st_dev : 0;
}

// access(2) checks the real user, which in a set-user-ID program is not the effective one.
std::error_code write_refusal(const std::filesystem::path& directory) noexcept {
  if (::faccessat(AT_FDCWD, directory.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) == 0) return {};
  return {errno, std::system_category()};
}

}  // namespace berth
