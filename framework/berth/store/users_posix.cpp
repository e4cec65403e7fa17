#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <berth/base/unique_handle.hpp>
#include <berth/store/users_posix.hpp>

namespace berth {
namespace {

namespace fs = std::filesystem;

/// The fields of the user's line in /etc/passwd (passwd(5)); empty if there is none.
std::vector<std::string> passwd_entry(std::uint32_t user) {
  std::ifstream users("/etc/passwd");
  const std::string id = std::to_string(user);
  for (std::string line; std::getline(users, line);) {
    std::vector<std::string> fields;
    for (std::size_t begin = 0; begin <= line.size();) {
      const auto end = std::min(line.find(':', begin), line.size());
      fields.push_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
    if (fields.size() >= 7 && fields[2] == id) return fields;
  }
  return {};
}

/// Whether the file or directory at `path` is in a directory of `user`.
bool is_in_directory_of(std::uint32_t user, std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const auto parent = fs::path(path).parent_path();
  struct stat status;
  return ::stat(parent.empty() ? "." : parent.c_str(), &status) == 0 && status.st_uid == user;
}

// If the file system refuses, root keeps the file, and messages tell the user what to do.
void give_to_caller(int created, const char* path) noexcept {
  const auto user = id_of_sudo("SUDO_UID");
  if (!user || !is_in_directory_of(*user, path)) return;
  const auto group = id_of_sudo("SUDO_GID");
  if (::fchown(created, *user, group ? static_cast<gid_t>(*group) : static_cast<gid_t>(-1)) != 0)
    return;
}

bool is_empty(int directory) noexcept {
  DIR* const entries = ::fdopendir(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!entries) return false;
  int count = 0;
  while (::readdir(entries)) ++count;
  ::closedir(entries);
  return count <= 2;  // "." and ".."
}

}  // namespace

std::string user_name(std::uint32_t user) {
  const auto entry = passwd_entry(user);
  return entry.empty() ? fmt::format("uid {}", user)
                       : fmt::format("{} (uid {})", entry.front(), user);
}

fs::path home_of(std::uint32_t user) {
  const auto entry = passwd_entry(user);
  return entry.empty() ? fs::path() : fs::path(entry[5]);
}

std::optional<std::uint32_t> id_of_sudo(const char* variable) noexcept {
  const char* const text = std::getenv(variable);
  if (!text || ::geteuid() != 0) return std::nullopt;
  const std::string_view digits = text;
  std::uint32_t id = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return id;
}

int create_new(const char* path, int flags) noexcept {
  const int made = ::open(path, flags | O_CREAT | O_EXCL, 0600);
  if (made >= 0) give_to_caller(made, path);
  return made;
}

// Only a file that this call has created is given away: one that was there before may be another
// name of a file of root's (link(2)).
int open_or_create(const char* path, int flags) noexcept {
  if (id_of_sudo("SUDO_UID"))
    if (const int made = create_new(path, flags); made >= 0) return made;
  return ::open(path, flags | O_CREAT, 0600);
}

// The owner of the parent can put another directory in the place of the new one meanwhile; an empty
// one gives nothing away.
int make_own_directory(const char* path) noexcept {
  const int status = ::mkdir(path, 0700);
  if (status != 0 || !id_of_sudo("SUDO_UID")) return status;
  const unique_handle made(::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (made && is_empty(made.get())) give_to_caller(made.get(), path);
  return 0;
}

}  // namespace berth
