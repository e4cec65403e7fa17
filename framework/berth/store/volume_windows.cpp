#include <berth/store/volume.hpp>

#include <fmt/format.h>

namespace berth {

volume volume_of(native_handle) { return {}; }
bool is_local(const std::filesystem::path&) noexcept { return false; }
std::string volume_id_of(const std::filesystem::path&) { return {}; }

std::string shortage_on(const std::filesystem::path& directory) {
  std::error_code unknown;
  const auto space = std::filesystem::space(directory, unknown);
  if (unknown || space.available > 0) return {};
  return fmt::format("the file system of {} is full: free some space, or use another directory",
                     directory.string());
}

}  // namespace berth
