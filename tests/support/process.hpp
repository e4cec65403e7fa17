// A program run by a test: its own directory and environment, its output kept. Killed and
// collected at the end, if the test has not done so.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "temporary_directory.hpp"

namespace test {

struct ended {
  int status;  ///< of exit, or 128 + the signal
  std::string out;
  std::string err;
};

class process {
 public:
  explicit process(std::vector<std::string> command, const std::filesystem::path& directory = {},
                   const std::map<std::string, std::string>& environment = {});
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process();

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  bool running();
  /// Fails the test if it has not ended within half a minute.
  ended wait();
  std::string out() const { return read_text(files_.path() / "out"); }
  std::string err() const { return read_text(files_.path() / "err"); }
  /// The processor time that it has used so far, user and system.
  std::chrono::milliseconds processor_time() const;

 private:
  temporary_directory files_;
  pid_t pid_ = -1;
  [[maybe_unused]] std::intptr_t handle_ = 0;  ///< where a pid does not keep the process's end
  std::optional<int> status_;
};

/// Runs a program to its end.
ended run(std::vector<std::string> command, const std::filesystem::path& directory = {},
          const std::map<std::string, std::string>& environment = {});

/// Whether `condition` comes true before the deadline; asks without a fixed sleep in between.
template <typename Condition>
bool eventually(Condition condition, std::chrono::seconds within = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace test
