#include <berth/io/directory_watch.hpp>

#include <algorithm>
#include <deque>
#include <utility>

#include <berth/io/directory_source.hpp>

namespace berth {

struct directory_watch::core final : wait_point, directory_listener {
  static constexpr std::size_t most_kept = 256;

  using wait_point::end_waiting;
  bool ready() const noexcept override { return !changes.empty() || lost; }

  void changed(const char* name) override {
    if (changes.size() == most_kept)
      changes.assign(1, std::string());
    else if (std::find(changes.begin(), changes.end(), name) == changes.end())
      changes.emplace_back(name);
    wake_later();
  }
  void failed(std::error_code why) override {
    lost = why;
    wake_later();
  }

  std::deque<std::string> changes;
  std::error_code lost;
  std::unique_ptr<directory_source> source;
};

directory_watch::directory_watch(event_loop& loop, const std::filesystem::path& directory)
    : core_(std::make_unique<core>()) {
  core_->source = watch_directory(loop, directory, *core_);
}

directory_watch::~directory_watch() { core_->end_waiting(); }

directory_watch::awaiter::awaiter(core* of, deadline until) noexcept
    : point_waiter(of, until), core_(of) {}

result<std::string> directory_watch::awaiter::await_resume() {
  if (const auto failed = why_nothing()) return *failed;
  if (core_->changes.empty()) return failure(core_->lost);
  std::string name = std::move(core_->changes.front());
  core_->changes.pop_front();
  return name;
}

directory_watch::awaiter directory_watch::next(deadline until) noexcept {
  return awaiter(core_.get(), until);
}

}  // namespace berth
