#include <unistd.h>

#include <filesystem>

#include <berth/cli/other_part.hpp>

namespace berth::cli {

void become(const char* part, char* const* words) noexcept {
  std::error_code failed;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
  ::execv((here / part).c_str(), words);
  ::execv((here / BERTH_LIBEXEC / part).c_str(), words);
}

}  // namespace berth::cli
