#include <unistd.h>
#ifdef __linux__
#include <sys/auxv.h>
#endif

#include <array>
#include <filesystem>

#include <berth/cli/other_part.hpp>

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

/// The directory of this program; empty if the system does not reveal it.
fs::path own_directory() {
  std::error_code failed;
  auto program = fs::read_symlink("/proc/self/exe", failed);
#ifdef __linux__
  // Without /proc, use the path given to execve(2). A relative one would be resolved in the current
  // directory, which anybody may have filled.
  const auto* const path = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  if (failed && path && path[0] == '/') program = fs::canonical(path, failed);
#endif
  return program.is_absolute() ? program.parent_path() : fs::path();
}

std::array<fs::path, 2> places_of(const char* part) {
  const auto here = own_directory();
  if (here.empty()) return {};
  return {here / part, here / BERTH_LIBEXEC / part};
}

}  // namespace

fs::path find_part(const char* part) {
  std::error_code ignored;
  for (const auto& path : places_of(part))
    if (fs::exists(path, ignored)) return path;
  return {};
}

void exec_part(const char* part, char* const* arguments) noexcept {
  for (const auto& path : places_of(part))
    if (!path.empty()) ::execv(path.c_str(), arguments);
}

}  // namespace berth::cli
