// Runs work with mounts of its own; says so and passes without the right to them.
#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <functional>

#include <fmt/format.h>

#include "support/catch.hpp"

namespace judgement_test {

inline constexpr int missing_right = 99;

/// What `work` returns in a child with a mount namespace of its own; 98 if it throws.
inline int with_mounts(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    int result = 98;
    try {
      result = ::unshare(CLONE_NEWNS) == 0 &&
                       ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
                   ? work()
                   : missing_right;
    } catch (const std::exception& failed) {
      fmt::print(stderr, "{}\n", failed.what());
    }
    ::_exit(result);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const int result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (result == missing_right) WARN("skipped: no right to mount");
  return result == missing_right ? 0 : result;
}

}  // namespace judgement_test
