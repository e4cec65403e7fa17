#ifdef __linux__
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include <memory>
#include <string_view>

#include <fmt/format.h>

#include <berth/base/unique_handle.hpp>
#include <berth/liveness/process.hpp>

namespace berth {

#ifdef __linux__
namespace {

struct close_directory {
  void operator()(DIR* opened) const noexcept { ::closedir(opened); }
};
using directory_stream = std::unique_ptr<DIR, close_directory>;

directory_stream open_directory(std::uint32_t pid, const char* name) {
  return directory_stream(::opendir(fmt::format("/proc/{}/{}", pid, name).c_str()));
}

// proc(5), "lock:". Checked before stat(2), which may wait for a network.
bool shows_exclusive_lock(int directory, const char* descriptor) noexcept {
  const unique_handle file(::openat(directory, descriptor, O_RDONLY | O_CLOEXEC));
  char buffer[4096];
  const ssize_t length = file ? ::read(file.get(), buffer, sizeof buffer) : -1;
  if (length <= 0) return false;
  const std::string_view text(buffer, static_cast<std::size_t>(length));
  const auto line = text.find("lock:");
  return line != std::string_view::npos && text.find(" WRITE ", line) != std::string_view::npos;
}

bool refers_to(int directory, const char* descriptor, const file_id& file) noexcept {
  struct stat status;
  return ::fstatat(directory, descriptor, &status, 0) == 0 &&
         file_id{status.st_dev, status.st_ino} == file;
}

lock_holder holder_seen_by(std::uint32_t pid, const file_id& file) {
  const auto descriptors = open_directory(pid, "fd");
  const auto details = open_directory(pid, "fdinfo");
  if (!descriptors || !details) return lock_holder::unknown;
  while (const dirent* const entry = ::readdir(details.get()))
    if (shows_exclusive_lock(::dirfd(details.get()), entry->d_name) &&
        refers_to(::dirfd(descriptors.get()), entry->d_name, file))
      return lock_holder::it;
  return lock_holder::another;
}

}  // namespace

lock_holder holder_of_lock(std::uint32_t pid, const file_id& file) {
  const auto holder = holder_seen_by(pid, file);
  if (holder != lock_holder::another) return holder;
  constexpr int most_generations = 64;
  auto each = parent_of(pid);
  for (int generation = 0; each > 1 && generation < most_generations; ++generation) {
    if (holder_seen_by(each, file) == lock_holder::it) return lock_holder::it;
    each = parent_of(each);
  }
  return lock_holder::another;
}
#else
lock_holder holder_of_lock(std::uint32_t, const file_id&) { return lock_holder::unknown; }
#endif

}  // namespace berth
