#include <sys/stat.h>

#include <berth/config/file_system.hpp>

namespace berth {

std::uint64_t device_of(const std::filesystem::path& directory) noexcept {
  struct stat status;
  return ::stat(directory.c_str(), &status) == 0 ? status.st_dev : 0;
}

}  // namespace berth
