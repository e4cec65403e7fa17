#include <cerrno>

#include <berth/base/error.hpp>
#include <berth/io/directory_source.hpp>
#include <berth/io/inotify_queue.hpp>

namespace berth {
namespace {

std::error_code code_of(int number) { return {number, std::system_category()}; }

/// Watches the directory or, while it is removed or moved away, its nearest existing parent.
class inotify_source final : public directory_source, inotify_queue::listener {
 public:
  inotify_source(event_loop& loop, const std::filesystem::path& directory, directory_listener& told)
      : queue_(inotify_queue::of(loop)),
        path_(std::filesystem::absolute(directory)),
        told_(told),
        watch_(queue_->add(path_, *this)) {
    if (watch_ >= 0) return;
    if (errno == ENOSPC)
      throw error("cannot watch " + path_.string() +
                      ": this user watches too many directories (raise the limit with sysctl "
                      "fs.inotify.max_user_watches)",
                  code_of(errno));
    throw error(code_of(errno), "watch", path_.string());
  }
  inotify_source(const inotify_source&) = delete;
  inotify_source& operator=(const inotify_source&) = delete;
  ~inotify_source() override {
    queue_->remove(watch_, *this);
    queue_->remove(parent_, *this);
  }

 private:
  void happened(int watch, std::uint32_t what, const char* name) override {
    const bool gone = (what & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0;
    if (watch == watch_) told_.changed(gone ? "" : name);
    if (watch != watch_ || gone) find_again();
  }
  void overflowed() override {
    told_.changed("");
    find_again();
  }

  void find_again() {
    for (;;) {
      const int found = queue_->add(path_, *this);
      if (found >= 0) return found_as(found);
      leave(watch_);
      if (errno == ENOSPC) return told_.failed(code_of(errno));
      // A directory that is created just before its parent is watched would be missed: try again.
      if (!watch_parent()) return;
    }
  }
  void found_as(int found) {
    leave_parent(found);
    if (found == watch_) return;
    leave(watch_);
    watch_ = found;
    told_.changed("");
  }
  /// Returns whether another parent is watched now than before.
  bool watch_parent() {
    std::filesystem::path parent = path_.parent_path();
    int found = queue_->add(parent, *this);
    while (found < 0 && parent.has_relative_path()) {
      parent = parent.parent_path();
      found = queue_->add(parent, *this);
    }
    if (found < 0) told_.failed(code_of(errno));
    if (found < 0 || found == parent_) return false;
    leave(parent_);
    parent_ = found;
    return true;
  }
  void leave(int& watch) noexcept {
    const int number = errno;
    if (watch >= 0) queue_->remove(watch, *this);
    watch = -1;
    errno = number;
  }
  void leave_parent(int unless) noexcept {
    if (parent_ != unless) leave(parent_);
    parent_ = -1;
  }

  std::shared_ptr<inotify_queue> queue_;
  std::filesystem::path path_;
  directory_listener& told_;
  int watch_;
  int parent_ = -1;
};

}  // namespace

std::unique_ptr<directory_source> watch_directory(event_loop& loop,
                                                  const std::filesystem::path& directory,
                                                  directory_listener& told) {
  return std::make_unique<inotify_source>(loop, directory, told);
}

}  // namespace berth
