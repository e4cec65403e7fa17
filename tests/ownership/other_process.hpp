// Processes that start a server, stopped after each of their system calls.
#pragma once

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>

#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "traced_process.hpp"

namespace ownership_test {

using namespace berth;
using namespace std::chrono_literals;

inline record numbered(std::uint16_t port) { return describe_this_process("127.0.0.1", port, "1"); }

/// A child that does something and then holds what it holds; killed in the end.
class other_process {
 public:
  explicit other_process(const std::function<int()>& work) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      const char result = static_cast<char>(work());
      (void)!::write(ends[1], &result, 1);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    result_ = ends[0];
  }
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;
  ~other_process() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(result_);
  }

  pid_t pid() const { return pid_; }

  /// Waits until it has ended its work, or waits for a lock that a stopped process holds.
  void let_run() const {
    for (int turn = 0; turn < 20 && !ended(0); ++turn) std::this_thread::sleep_for(1ms);
  }
  int result() const {
    REQUIRE(ended(30000));
    char result = -1;
    REQUIRE(::read(result_, &result, 1) == 1);
    return result;
  }

 private:
  bool ended(int milliseconds) const {
    fd_set ready;
    FD_ZERO(&ready);
    FD_SET(result_, &ready);
    timeval time{milliseconds / 1000, milliseconds % 1000 * 1000};
    return ::select(result_ + 1, &ready, nullptr, nullptr, &time) == 1;
  }

  pid_t pid_ = -1;
  int result_ = -1;
};

enum outcome { published = 0, refused = 1, failed = 2 };

/// Publishes for as long as the process lives.
inline int start(const location& where, std::uint16_t port, const claim_options& options = {}) {
  static std::optional<claim> owned;
  try {
    owned.emplace(where, numbered(port), options);
    return published;
  } catch (const already_running&) {
    return refused;
  } catch (const error&) {
    return failed;
  }
}

inline void leave_stale(const location& where) {
  other_process(std::function<int()>([&] { return start(where, 9); })).result();
}

inline int live_port(const location& where) {
  const auto found = read_live(where);
  return found ? found->port : 0;
}

inline bool has_temporary_file(const location& where) {
  for (const auto& entry : std::filesystem::directory_iterator(where.directory))
    if (entry.path().extension() == ".tmp") return true;
  return false;
}

/// Does `meanwhile` after each system call of `work`, and `check` once that has ended.
inline void at_each_call(const location& where, bool stale, const std::function<int()>& work,
                         const std::function<void(test::traced_process&)>& meanwhile) {
  bool more = true;
  for (int point = 0; more; ++point) {
    std::filesystem::remove_all(where.directory);
    std::filesystem::create_directories(where.directory);
    std::filesystem::permissions(where.directory, std::filesystem::perms::owner_all);
    if (stale) leave_stale(where);
    (void)numbered(1);  // what is asked once of the system is asked now
    test::traced_process one([] {}, work);
    for (int call = 0; more && call < point; ++call) more = one.next_call();
    INFO("after system call " << point << " (number " << one.call() << ")");
    meanwhile(one);
  }
}

/// Keeps the list of instances of these servers in a directory of their own.
struct own_list {
  own_list() { ::setenv("BERTH_LIST_DIR", (directory.path() / "berth").c_str(), 1); }
  ~own_list() { ::unsetenv("BERTH_LIST_DIR"); }
  test::temporary_directory directory;
};

inline claim_options listed() {
  claim_options options;
  options.listed = true;
  return options;
}

inline void finish(test::traced_process& one) {
  while (one.next_call()) {
  }
}

}  // namespace ownership_test
