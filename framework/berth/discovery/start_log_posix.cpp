#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/discovery/start_log.hpp>
#include <berth/store/trust.hpp>
#include <berth/store/users_posix.hpp>

namespace berth {
namespace {

[[noreturn]] void refuse(const start_log& log, const char* what, std::error_code code) {
  throw error(fmt::format("the log {} is {}: remove it, or choose another log with --log",
                          log.path.native(), what),
              code);
}

// Without a reader, a FIFO cannot be opened to write to it (ENXIO).
[[noreturn]] void refuse_to_open(const start_log& log, std::error_code code) {
  if (code == std::errc::too_many_symbolic_link_levels)
    refuse(log, "a symbolic link, which is not followed", code);
  if (!log.is_named_by_user && code == std::errc::no_such_device_or_address)
    refuse(log, "not a regular file", code);
  throw error(code, "open the log", log.path.native());
}

void check_status(const start_log& log, const struct stat& status) {
  if (S_ISLNK(status.st_mode))
    refuse(log, "a symbolic link, which is not followed",
           std::make_error_code(std::errc::too_many_symbolic_link_levels));
  if (S_ISREG(status.st_mode) && status.st_nlink > 1)
    refuse(log, "known by another name as well, a hard link",
           std::make_error_code(std::errc::invalid_argument));
  if (log.is_named_by_user) return;
  if (!S_ISREG(status.st_mode))
    refuse(log, "not a regular file", std::make_error_code(std::errc::invalid_argument));
  check_owner(log.path.native(), status.st_uid);
}

struct stat status_of(const start_log& log, const unique_handle& file) {
  struct stat status;
  if (::fstat(file.get(), &status) != 0)
    throw error(last_system_error(), "examine", log.path.native());
  return status;
}

unique_handle open_without_waiting(const start_log& log, int flags) {
  flags |= O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;
  unique_handle file(flags & O_CREAT ? open_or_create(log.path.c_str(), flags)
                                     : ::open(log.path.c_str(), flags));
  if (!file) refuse_to_open(log, last_system_error());
  const struct stat status = status_of(log, file);
  check_status(log, status);
  if (!log.is_named_by_user && (status.st_mode & 077) != 0) ::fchmod(file.get(), 0600);
  return file;
}

bool copy(int from, int to) {
  std::vector<char> buffer(64 * 1024);
  for (std::uintmax_t copied = 0; copied < start_log::max_size;) {
    const ssize_t length = ::read(from, buffer.data(), buffer.size());
    if (length <= 0) return length == 0;
    if (::write(to, buffer.data(), static_cast<std::size_t>(length)) != length) return false;
    copied += static_cast<std::uintmax_t>(length);
  }
  return true;
}

}  // namespace

void start_log::check() const {
  struct stat status;
  if (::lstat(path.c_str(), &status) == 0) check_status(*this, status);
}

unique_handle start_log::open() const {
  unique_handle file = open_without_waiting(*this, O_WRONLY | O_CREAT | O_APPEND);
  const int flags = ::fcntl(file.get(), F_GETFL);
  if (flags < 0 || ::fcntl(file.get(), F_SETFL, flags & ~O_NONBLOCK) != 0)
    throw error(last_system_error(), "open the log", path.native());
  return file;
}

// The programs that append to the file keep it open, so it has to be emptied in place. Two keepers
// may be at work while one server drains and the next one serves: the lock lets one of them roll.
bool start_log::roll() const {
  try {
    const unique_handle file = open_without_waiting(*this, O_RDWR | O_APPEND);
    const struct stat status = status_of(*this, file);
    if (!S_ISREG(status.st_mode)) return false;
    if (static_cast<std::uintmax_t>(status.st_size) <= max_size) return true;
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return true;
    const start_log older{path.native() + ".1", is_named_by_user};
    ::unlink(older.path.c_str());
    const unique_handle target(create_new(older.path.c_str(), O_WRONLY | O_CLOEXEC));
    const bool kept =
        target &&
        ::lseek(file.get(), status.st_size - static_cast<off_t>(max_size), SEEK_SET) >= 0 &&
        copy(file.get(), target.get());
    // It is emptied all the same: a log that grows without limit would fill the disk.
    if (!kept) ::unlink(older.path.c_str());
    return ::ftruncate(file.get(), 0) == 0;
  } catch (const error&) {
    return false;
  }
}

}  // namespace berth
