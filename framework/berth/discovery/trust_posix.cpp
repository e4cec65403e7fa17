#ifdef __linux__
#include <sys/auxv.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/discovery/trust.hpp>

namespace berth {
namespace {

std::error_code denied() { return std::make_error_code(std::errc::permission_denied); }

void make_directories(const std::filesystem::path& directory) {
  const auto parent = directory.parent_path();
  struct stat status;
  if (!parent.empty() && parent != directory && ::stat(parent.c_str(), &status) != 0)
    make_directories(parent);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    throw error(last_system_error(), "create directory", directory.native());
}

// Whoever started this process is trusted by it, and is known without a system call.
std::uint32_t starting_user() noexcept {
#ifdef __linux__
  return static_cast<std::uint32_t>(::getauxval(AT_EUID));
#else
  return ::geteuid();
#endif
}

}  // namespace

void check_owner(const path_name& file, std::uint32_t owner) {
  if (owner == 0 || owner == starting_user() || owner == ::geteuid()) return;
  struct stat directory;
  const auto parent = std::filesystem::path(file).parent_path();
  if (::stat(parent.empty() ? "." : parent.c_str(), &directory) == 0 && directory.st_uid == owner)
    return;
  throw error(fmt::format("{} belongs to user {}, who is neither you nor root nor the owner of its "
                          "directory: it is not trusted; remove it or use another directory",
                          file, owner),
              denied());
}

void prepare_directory(const std::filesystem::path& directory) {
  struct stat status;
  if (::stat(directory.c_str(), &status) != 0) {
    if (errno != ENOENT) throw error(last_system_error(), "examine", directory.native());
    make_directories(directory);
    if (::stat(directory.c_str(), &status) != 0)
      throw error(last_system_error(), "examine", directory.native());
  }
  if (!S_ISDIR(status.st_mode))
    throw error(std::make_error_code(std::errc::not_a_directory), "use", directory.native());
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) && !(status.st_mode & S_ISVTX))
    throw error(
        fmt::format("{} is writable by others (mode {:04o}), who could exchange files in it; "
                    "mend it with: chmod go-w {}",
                    directory.native(), status.st_mode & 07777u, directory.native()),
        denied());
}

void check_own(const std::filesystem::path& directory) {
  struct stat status;
  if (::lstat(directory.c_str(), &status) != 0)
    throw error(last_system_error(), "examine", directory.native());
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid())
    throw error(fmt::format("{} is not a directory of yours: it is not trusted; remove it, or set "
                            "XDG_RUNTIME_DIR",
                            directory.native()),
                denied());
}

}  // namespace berth
