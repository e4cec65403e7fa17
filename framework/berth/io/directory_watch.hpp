// Tells of changes in one directory: a name made, changed, moved or removed. Changes are kept
// until they are asked for, each name once; a change may be told more often than it happened,
// never less. On the loop's thread.
#pragma once

#include <filesystem>
#include <string>

#include <berth/coro/waiter.hpp>
#include <berth/io/event_loop.hpp>

namespace berth {

class directory_watch {
 public:
  /// Watches from now on. Throws berth::error where there is no such directory.
  directory_watch(event_loop& loop, const std::filesystem::path& directory);
  directory_watch(const directory_watch&) = delete;
  directory_watch& operator=(const directory_watch&) = delete;
  ~directory_watch();

  class awaiter;
  /// The name of what changed, without its directory; empty where only that something did is
  /// known. One task may wait at a time.
  inline awaiter next(deadline until = deadline::never()) noexcept;

 private:
  struct core;
  core* core_;
};

class [[nodiscard]] directory_watch::awaiter final : public waiter {
 public:
  awaiter(core* from, deadline until) noexcept : core_(from), until_(until) {}

  bool await_ready() const noexcept { return false; }
  template <has_context Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    return start(awaiting, awaiting.promise().context());
  }
  result<std::string> await_resume();

 private:
  bool start(std::coroutine_handle<> awaiting, const execution_context& context) noexcept;
  bool abandon() noexcept override;

  core* core_;
  deadline until_;
};

directory_watch::awaiter directory_watch::next(deadline until) noexcept {
  return awaiter(core_, until);
}

}  // namespace berth
