// A directory, waiting processes, and records that name them.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <berth/liveness/process.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record.hpp>
#include <berth/record/record_codec.hpp>
#include <berth/store/location.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/process.hpp"

namespace judgement_test {

using namespace berth;
namespace fs = std::filesystem;

struct place {
  test::temporary_directory directory;
  location where{"pm", directory.path()};
  fs::path file = where.port_file();
};

inline void write(const place& at, const record& server) {
  test::write_text(at.file, format_record(server));
}

/// A process that only waits, killed at the end.
class sleeper {
 public:
  explicit sleeper(const std::function<void()>& before = [] {}) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::signal(SIGTERM, SIG_DFL);  // the test's own reports it as a fault
      before();
      (void)!::write(ready[1], "", 1);
      for (;;) ::pause();
    }
    char byte;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  sleeper(const sleeper&) = delete;
  sleeper& operator=(const sleeper&) = delete;
  ~sleeper() {
    if (pid_ > 0) ::kill(pid_, SIGKILL), ::waitpid(pid_, nullptr, 0);
  }
  std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }
  bool lives() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }
  /// By which signal it ended.
  int ended_by() {
    int status = 0;
    REQUIRE(::waitpid(std::exchange(pid_, -1), &status, 0) > 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

 private:
  pid_t pid_ = -1;
};

inline std::string moment(std::chrono::seconds from_now) {
  const auto then = std::chrono::system_clock::now() + from_now;
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(then)));
}

/// As a program that knows only the five fields writes it.
inline record foreign(std::uint32_t pid, std::string started_at) {
  record made;
  made.pid = pid;
  made.port = 9;
  made.host = "127.0.0.1";
  made.started_at = std::move(started_at);
  made.version = "1";
  return made;
}

/// As berth writes it of another process of this system.
inline record described(std::uint32_t pid) {
  record made = describe_this_process("127.0.0.1", 9, "1");
  made.pid = pid;
  made.lock.clear();
  made.origin.start_time = status_of_process(pid).start_time;
  return made;
}

inline test::ended run_berth(const place& at, std::vector<std::string> words) {
  words.insert(words.begin(), {BERTH_COMMAND, "--config-dir", at.directory.path().string()});
  return test::run(words);
}

}  // namespace judgement_test
