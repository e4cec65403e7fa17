// Runs work in a child, in namespaces of its own; says so and passes without the right to them.
#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <functional>

#include <berth/liveness/this_process.hpp>
#include <berth/record/record.hpp>

#include <fmt/format.h>

namespace isolation_test {

using namespace berth;

inline record ours() { return describe_this_process("127.0.0.1", 8080, "1"); }

inline constexpr int missing_right = 99;

/// What `work` gives in a child; 98 where it throws.
inline int in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    int result = 98;
    try {
      result = work();
    } catch (const std::exception& failed) {
      fmt::print(stderr, "{}\n", failed.what());
    }
    ::_exit(result);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The same in namespaces of its own; the first child in a pid namespace has pid 1 there.
inline int in_namespaces(int kinds, const std::function<int()>& work) {
  return in_child([&] {
    if (::unshare(kinds) != 0) return missing_right;
    if ((kinds & CLONE_NEWNS) && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return missing_right;
    return in_child(work);
  });
}

}  // namespace isolation_test
