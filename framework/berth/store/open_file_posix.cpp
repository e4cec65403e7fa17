#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

#include <cerrno>
#include <climits>
#include <cstdio>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/store/open_file.hpp>
#include <berth/store/users_posix.hpp>

namespace berth {
namespace {

// Does not follow a link, wait for the other end of a FIFO, reach a child, or make a terminal the
// controlling one.
constexpr int always = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

[[noreturn]] void fail(std::string_view operation, const std::filesystem::path& path) {
  throw error(last_system_error(), operation, path.native());
}

/// For open(2). Names the owner of a file that belongs to another user: after sudo, often root.
[[noreturn]] void fail_to_open(const path_name& path) {
  const auto why = last_system_error();
  struct stat status;
  if (why != std::errc::permission_denied || ::lstat(path.c_str(), &status) != 0 ||
      status.st_uid == ::geteuid())
    throw error(why, "open", path);
  throw error(fmt::format("cannot open {}: {}; it belongs to {}: remove it, or change its owner "
                          "with: chown {} {}",
                          path, why.message(), user_name(status.st_uid), ::geteuid(), path),
              why);
}

template <typename Call>
auto retry(Call call) {
  for (;;) {
    const auto status = call();
    if (status >= 0 || errno != EINTR) return status;
  }
}

// openat2(2) with RESOLVE_CACHED answers EAGAIN if a name would have to be read from the disk.
int open_cached([[maybe_unused]] const char* path) noexcept {
#if defined(SYS_openat2) && defined(RESOLVE_CACHED)
  open_how how{};
  how.flags = O_RDONLY | always;
  how.resolve = RESOLVE_CACHED;
  return static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
#else
  errno = ENOSYS;
  return -1;
#endif
}

// preadv2(2) with RWF_NOWAIT answers EAGAIN if the content would have to be read from the disk, and
// EOPNOTSUPP on memory file systems, which never wait.
ssize_t read_cached([[maybe_unused]] int descriptor,
                    [[maybe_unused]] std::span<char> into) noexcept {
#ifdef RWF_NOWAIT
  const iovec vector{into.data(), into.size()};
  const ssize_t length = ::preadv2(descriptor, &vector, 1, 0, RWF_NOWAIT);
  if (length >= 0 || errno != EOPNOTSUPP) return length;
  return ::read(descriptor, into.data(), into.size());
#else
  errno = EAGAIN;
  return -1;
#endif
}

}  // namespace

const bool replaces_at_once = true;

std::optional<open_file> open_file::to_read(path_name name, read_mode how) {
  unique_handle descriptor(retry([&] {
    return how == read_mode::cached ? open_cached(name.c_str())
                                    : ::open(name.c_str(), O_RDONLY | always);
  }));
  if (descriptor) return open_file(std::move(descriptor), std::move(name));
  if (errno == ENOENT) return std::nullopt;
  if (how == read_mode::cached) throw would_block{};
  fail_to_open(name);
}

open_file open_file::to_lock(path_name name) {
  unique_handle descriptor(retry([&] { return open_or_create(name.c_str(), O_RDWR | always); }));
  if (!descriptor) fail_to_open(name);
  return open_file(std::move(descriptor), std::move(name));
}

std::optional<open_file> open_file::to_lock_existing(path_name name) {
  unique_handle descriptor(retry([&] { return ::open(name.c_str(), O_RDWR | always); }));
  if (descriptor) return open_file(std::move(descriptor), std::move(name));
  if (errno == ENOENT || errno == EACCES || errno == EPERM) return std::nullopt;
  fail("open", name);
}

std::optional<open_file> open_file::to_create(path_name name) {
  unique_handle descriptor(retry([&] { return create_new(name.c_str(), O_RDWR | always); }));
  if (descriptor) return open_file(std::move(descriptor), std::move(name));
  if (errno == EEXIST) return std::nullopt;
  fail("create", name);
}

file_status open_file::status() const {
  struct stat status;
  if (::fstat(handle_.get(), &status) != 0) fail("examine", name_);
  return {{status.st_dev, status.st_ino},
          static_cast<std::uint64_t>(status.st_size),
          status.st_uid,
          S_ISREG(status.st_mode),
          status.st_nlink > 0,
          status.st_gid,
          status.st_mode & 07777u,
          std::chrono::sys_seconds(std::chrono::seconds(status.st_mtime))};
}

std::size_t open_file::read(std::span<char> into, read_mode how) const {
  const ssize_t length = retry([&] {
    return how == read_mode::cached ? read_cached(handle_.get(), into)
                                    : ::read(handle_.get(), into.data(), into.size());
  });
  if (length < 0 && how == read_mode::cached) throw would_block{};
  if (length < 0) fail("read", name_);
  return static_cast<std::size_t>(length);
}

// Beyond the limit of RLIMIT_FSIZE, write(2) ends the process by SIGXFSZ: check first.
void open_file::write(std::string_view content) {
  rlimit limit;
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && content.size() > limit.rlim_cur) {
    errno = EFBIG;
    fail("write", name_);
  }
  while (!content.empty()) {
    const ssize_t length =
        retry([&] { return ::write(handle_.get(), content.data(), content.size()); });
    if (length < 0) fail("write", name_);
    content.remove_prefix(static_cast<std::size_t>(length));
  }
}

std::optional<std::filesystem::path> open_file::find() const {
  std::error_code failed;
#ifdef F_GETPATH
  char buffer[PATH_MAX];
  if (::fcntl(handle_.get(), F_GETPATH, buffer) != 0) return std::nullopt;
  std::filesystem::path path(buffer);
#else
  auto path = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", handle_.get()), failed);
#endif
  if (failed || identify(path) != status().id) return std::nullopt;
  return path;
}

void open_file::touch() {
  if (::futimens(handle_.get(), nullptr) != 0) fail("touch", name_);
}

void open_file::sync() {
  if (retry([&] { return ::fsync(handle_.get()); }) != 0) fail("sync", name_);
}

std::optional<file_id> identify(const std::filesystem::path& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) == 0) return file_id{status.st_dev, status.st_ino};
  if (errno == ENOENT) return std::nullopt;
  fail("examine", path);
}

bool rename_over(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  fail("replace", to);
}

bool rename_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  const auto in_vain = [] { return errno == EEXIST || errno == ENOENT; };
#ifdef RENAME_NOREPLACE
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (in_vain()) return false;
  if (errno != EINVAL && errno != ENOSYS) fail("publish", to);
#endif
  if (::link(from.c_str(), to.c_str()) == 0) {
    ::unlink(from.c_str());
    return true;
  }
  if (in_vain()) return false;
  if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) return rename_over(from, to);
  fail("publish", to);
}

bool remove_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  fail("remove", path);
}

}  // namespace berth
