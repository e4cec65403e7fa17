#include <berth/io/directory_watch.hpp>

#include <algorithm>
#include <deque>
#include <utility>

#include <uv.h>

#include <berth/io/uv_error.hpp>

namespace berth {

struct directory_watch::core final : wait_point {
  bool ready() const noexcept override { return !changes.empty(); }
  static constexpr std::size_t most_kept = 256;

  void changed(const char* name) {
    std::string changed_name = name ? name : "";
    if (changes.size() == most_kept)
      changes.assign(1, std::string());
    else if (std::find(changes.begin(), changes.end(), changed_name) == changes.end())
      changes.push_back(std::move(changed_name));
    wake();
  }

  void close() noexcept {
    uv_close(reinterpret_cast<uv_handle_t*>(&native),
             [](uv_handle_t* of) { delete static_cast<core*>(of->data); });
    end_waiting();
  }

  uv_fs_event_t native;
  std::deque<std::string> changes;
};

directory_watch::directory_watch(event_loop& loop, const std::filesystem::path& directory)
    : core_(new core) {
  uv_fs_event_init(loop.native(), &core_->native);
  core_->native.data = core_;
  const auto told = [](uv_fs_event_t* of, const char* name, int, int status) {
    static_cast<core*>(of->data)->changed(status < 0 ? nullptr : name);
  };
  const int status = uv_fs_event_start(&core_->native, told, directory.string().c_str(), 0);
  if (status < 0) {
    core_->close();
    check_uv(status, "watch", directory.string());
  }
}

directory_watch::~directory_watch() { core_->close(); }

directory_watch::awaiter::awaiter(core* of, deadline until) noexcept
    : point_waiter(of, until), core_(of) {}

result<std::string> directory_watch::awaiter::await_resume() {
  if (const auto failed = why_nothing()) return *failed;
  std::string name = std::move(core_->changes.front());
  core_->changes.pop_front();
  return name;
}

directory_watch::awaiter directory_watch::next(deadline until) noexcept {
  return awaiter(core_, until);
}

}  // namespace berth
