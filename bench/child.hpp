// Other programs, started as cheaply as the system can.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "bare.hpp"

extern char** environ;

namespace bench {

using command_words = std::vector<std::string>;

/// Starts it with its output thrown away.
inline pid_t spawn(const command_words& command) {
  std::vector<char*> words;
  for (const auto& each : command) words.push_back(const_cast<char*>(each.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int output : {1, 2})
    ::posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  must(::posix_spawn(&pid, words[0], &actions, nullptr, words.data(), environ) == 0);
  ::posix_spawn_file_actions_destroy(&actions);
  return pid;
}

inline bool succeeds(pid_t pid) {
  int status = 1;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

/// A program that runs until this object is destroyed.
class server_process {
 public:
  explicit server_process(const command_words& command) : pid_(spawn(command)) {}
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;
  ~server_process() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

}  // namespace bench
