// The baselines of the measurements: the system calls that discovery cannot do without, and those
// of a careless program.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace bench {

inline void must(bool held) {
  if (!held) std::abort();
}

inline struct flock byte_lock(off_t at, short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = at;
  lock.l_len = 1;
  return lock;
}

inline int open_and_read(const char* path) {
  char buffer[4096];
  struct stat status;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  must(file >= 0 && ::fstat(file, &status) == 0 && ::read(file, buffer, sizeof buffer) > 0);
  return file;
}

inline void bare_read(const char* path) { ::close(open_and_read(path)); }

inline void bare_read_live(const char* path) {
  const int file = open_and_read(path);
  auto lock = byte_lock(0, F_WRLCK);
  must(::fcntl(file, F_OFD_GETLK, &lock) == 0);
  ::close(file);
}

/// stat, open, stat, read to the end, close, kill.
inline void careless_read_live(const char* path, pid_t pid) {
  char buffer[4096];
  struct stat status;
  must(::stat(path, &status) == 0);
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  must(file >= 0 && ::fstat(file, &status) == 0);
  while (::read(file, buffer, sizeof buffer) > 0) {
  }
  ::close(file);
  must(::kill(pid, 0) == 0);
}

/// Probes a lock by taking it, as programs with a lock file often do: open, flock, read, close. It
/// disturbs other processes that probe at the same time.
inline void flock_probe(const char* path) {
  const int file = open_and_read(path);
  must(::flock(file, LOCK_SH | LOCK_NB) == 0);
  ::close(file);
}

/// What a careless writer does.
inline void careless_write(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  must(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(file);
}

/// A publication: a temporary file is created, locked, written and renamed, under one lock held for
/// life and one held during the change.
struct bare_publication {
  int lock = -1;
  int file = -1;

  void publish(const std::string& path, const std::string& text, bool sync) {
    const std::string lock_path = path + ".lock", temporary = path + ".tmp";
    const std::string directory = path.substr(0, path.rfind('/'));
    struct stat status;
    must(::stat(directory.c_str(), &status) == 0);
    lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    auto mutation = byte_lock(1, F_WRLCK), owner = byte_lock(0, F_WRLCK);
    must(::fcntl(lock, F_OFD_SETLK, &mutation) == 0 && ::fstat(lock, &status) == 0);
    must(::fcntl(lock, F_OFD_SETLK, &owner) == 0);
    must(::open(path.c_str(), O_RDONLY | O_CLOEXEC) < 0);
    file = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    must(file >= 0 && ::fcntl(file, F_OFD_SETLK, &owner) == 0);
    rlimit limit;
    must(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
    must(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    if (sync) ::fsync(file);
    must(::rename(temporary.c_str(), path.c_str()) == 0);
    mutation = byte_lock(1, F_UNLCK);
    ::fcntl(lock, F_OFD_SETLK, &mutation);
  }
  void remove(const std::string& path) {
    auto mutation = byte_lock(1, F_WRLCK);
    struct stat status;
    must(::fcntl(lock, F_OFD_SETLK, &mutation) == 0 && ::fstat(lock, &status) == 0);
    must(::fstat(file, &status) == 0 && ::lstat(path.c_str(), &status) == 0);
    ::unlink(path.c_str());
    mutation = byte_lock(1, F_UNLCK);
    ::fcntl(lock, F_OFD_SETLK, &mutation);
    ::close(file);
    ::close(lock);
  }
};

}  // namespace bench
