#ifdef __linux__
#include <sys/auxv.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/store/access_list_posix.hpp>
#include <berth/store/trust.hpp>
#include <berth/store/users_posix.hpp>

namespace berth {
namespace {

namespace fs = std::filesystem;

constexpr mode_t others = S_IWOTH;

[[noreturn]] void distrust(std::string message) {
  throw error(std::move(message), std::make_error_code(std::errc::permission_denied));
}

// This process trusts the user who started it. The auxiliary vector names that user without a
// system call.
std::uint32_t starting_user() noexcept {
#ifdef __linux__
  return static_cast<std::uint32_t>(::getauxval(AT_EUID));
#else
  return ::geteuid();
#endif
}

bool is_user(std::uint32_t id) noexcept {
  return id == ::geteuid() || id == id_of_sudo("SUDO_UID");
}

bool is_own_group(std::uint32_t id) noexcept {
  return id == ::getegid() || id == id_of_sudo("SUDO_GID");
}

struct foreign_writer {
  std::string who;
  std::string_view remedy;
};

/// Who, besides the owner and ourselves, may write to the file or directory.
std::optional<foreign_writer> foreign_writer_of(const fs::path& path, std::uint32_t mode,
                                                std::uint32_t owner, std::uint32_t group) {
  if (mode & others) return foreign_writer{"everybody", "chmod go-w"};
  if (!(mode & S_IWGRP)) return std::nullopt;
  constexpr std::string_view drop_list = "setfacl -b";
  constexpr const char* by_list = "{} through its access control list";
  const auto writers = listed_writers_of(path);
  for (const auto each : writers.users)
    if (each != 0 && each != owner && !is_user(each))
      return foreign_writer{fmt::format(by_list, user_name(each)), drop_list};
  for (const auto each : writers.groups)
    if (!is_own_group(each))
      return foreign_writer{fmt::format(by_list, fmt::format("group {}", each)), drop_list};
  if (writers.owning_group && !is_own_group(group))
    return foreign_writer{fmt::format("group {}", group), "chmod go-w"};
  return std::nullopt;
}

std::optional<foreign_writer> foreign_writer_of(const fs::path& path, const struct stat& status) {
  return foreign_writer_of(path, status.st_mode, status.st_uid, status.st_gid);
}

/// Throws if anybody but the owner may replace files in the directory; the message says what to do.
void check_writers(const fs::path& directory, const struct stat& status, bool sticky_suffices) {
  if (sticky_suffices && status.st_mode & S_ISVTX) return;
  const auto other = foreign_writer_of(directory, status);
  if (!other) return;
  distrust(
      fmt::format("{} is writable by {} (mode {:04o}), who could replace files in it; its "
                  "owner, {}, can fix that with: {} {}",
                  directory.native(), other->who, status.st_mode & 07777u, user_name(status.st_uid),
                  other->remedy, directory.native()));
}

struct stat examined(const fs::path& path, int (*call)(const char*, struct stat*)) {
  struct stat status;
  if (call(path.c_str(), &status) != 0) throw error(last_system_error(), "examine", path.native());
  return status;
}

// If the .gitignore cannot be written, the directory goes too: only a new directory ever gets one.
void write_gitignore(const fs::path& directory) {
  const auto path = directory / ".gitignore";
  try {
    if (auto made = open_file::to_create(path)) made->write("*\n");
  } catch (const error&) {
    ::unlink(path.c_str());
    ::rmdir(directory.c_str());
    throw;
  }
}

/// Returns false if it exists already.
bool make_directory(const fs::path& directory) {
  if (make_own_directory(directory.c_str()) == 0) return true;
  if (errno != EEXIST) throw error(last_system_error(), "create directory", directory.native());
  return false;
}

bool make_directories(const fs::path& directory) {
  const auto parent = directory.parent_path();
  struct stat status;
  if (!parent.empty() && parent != directory && ::stat(parent.c_str(), &status) != 0)
    make_directories(parent);
  return make_directory(directory);
}

void check_named(const fs::path& directory, const struct stat& status) {
  if (!S_ISDIR(status.st_mode))
    throw error(fmt::format("{} is not a directory: remove it, or name another directory",
                            directory.native()),
                std::make_error_code(std::errc::not_a_directory));
  check_writers(directory, status, true);
}

}  // namespace

void check_owner(const path_name& file, std::uint32_t owner) {
  if (owner == 0 || owner == starting_user() || is_user(owner)) return;
  struct stat directory;
  const auto parent = fs::path(file).parent_path();
  if (::stat(parent.empty() ? "." : parent.c_str(), &directory) == 0 && directory.st_uid == owner)
    return;
  distrust(
      fmt::format("{} belongs to {}, who is neither you nor root nor the owner of its "
                  "directory: it is not trusted; remove it or use another directory",
                  file, user_name(owner)));
}

void check_code_owner(const path_name& file, const file_status& status) {
  if (status.owner != 0 && status.owner != ::geteuid())
    distrust(
        fmt::format("{} belongs to {}, who is neither you nor root, and it can run code: it is not "
                    "used; make it your own with: chown {} {}",
                    file, user_name(status.owner), ::geteuid(), file));
  if (const auto other = foreign_writer_of(file, status.mode, status.owner, status.group))
    distrust(
        fmt::format("{} is writable by {} (mode {:04o}), and it can run code: it is not used; fix "
                    "that with: {} {}",
                    file, other->who, status.mode & 07777u, other->remedy, file));
}

std::string who_can_change(const fs::path& directory) {
  const auto status = examined(directory, ::stat);
  const std::string owner = user_name(status.st_uid);
  if (const auto other = foreign_writer_of(directory, status))
    return fmt::format(
        "its owner {} can change it, {} can create files in it, but replace no other user's, "
        "because it is sticky",
        owner, other->who);
  std::string more;
  if (status.st_mode & S_IWGRP) {
    const auto writers = listed_writers_of(directory);
    for (const auto each : writers.users)
      if (each != status.st_uid) more += " and " + user_name(each);
    for (const auto each : writers.groups) more += fmt::format(" and group {}", each);
    if (writers.owning_group) more += fmt::format(" and group {}", status.st_gid);
  }
  return fmt::format("its owner {}{} can change it", owner, more.empty() ? " alone" : more);
}

void check_found_directory(const fs::path& directory) {
  const auto status = examined(directory, ::lstat);
  if (S_ISLNK(status.st_mode))
    distrust(
        fmt::format("{} is a symbolic link, which a search does not follow: remove it, or name "
                    "the directory that it points to",
                    directory.native()));
  if (!S_ISDIR(status.st_mode))
    throw error(fmt::format("{} is not a directory: remove it", directory.native()),
                std::make_error_code(std::errc::not_a_directory));
  if (!is_user(status.st_uid))
    distrust(
        fmt::format("{} belongs to {}, not to you ({}): a directory found by searching is used "
                    "only if it is your own; name one with --config-dir, or work elsewhere",
                    directory.native(), user_name(status.st_uid), user_name(::geteuid())));
  check_writers(directory, status, false);
}

void check_named_directory(const fs::path& directory) {
  check_named(directory, examined(directory, ::stat));
}

void prepare_directory(const fs::path& directory, parents above) {
  struct stat status;
  if (::stat(directory.c_str(), &status) == 0) return check_named(directory, status);
  if (errno != ENOENT) throw error(last_system_error(), "examine", directory.native());
  if (::lstat(directory.c_str(), &status) == 0)
    throw error(fmt::format("{} is a symbolic link to nothing: remove it", directory.native()),
                std::make_error_code(std::errc::no_such_file_or_directory));
  const bool made =
      above == parents::are_made ? make_directories(directory) : make_directory(directory);
  if (made) write_gitignore(directory);
  check_named_directory(directory);
}

bool prepare_own_directory(const fs::path& directory, parents above) {
  struct stat status;
  if (above == parents::are_made && ::lstat(directory.c_str(), &status) != 0) {
    try {
      make_directories(directory);
    } catch (const error&) {
      return false;
    }
  }
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return false;
  return ::lstat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::geteuid() && !(status.st_mode & (S_IWGRP | S_IWOTH));
}

// In a sticky directory, only the owner of a file, of the directory, and root can remove the file.
std::string why_not_own(const fs::path& directory) {
  const auto status = examined(directory, ::lstat);
  if (status.st_uid == ::geteuid() && S_ISDIR(status.st_mode))
    return fmt::format("its mode is {:04o}: fix that with: chmod go-w {}", status.st_mode & 07777u,
                       directory.native());
  if (status.st_uid == ::geteuid()) return "it is not a directory: remove it";
  const std::string owner = user_name(status.st_uid);
  const auto parent = examined(directory.parent_path(), ::stat);
  const bool removable =
      ::geteuid() == 0 || parent.st_uid == ::geteuid() ||
      (!(parent.st_mode & S_ISVTX) && ::access(directory.parent_path().c_str(), W_OK | X_OK) == 0);
  if (removable) return fmt::format("it belongs to {}: remove it", owner);
  return fmt::format("it belongs to {}: ask {}{} to remove it", owner, owner,
                     status.st_uid == 0 ? "" : " or root");
}

}  // namespace berth
