// Runs a hidden case of this program in namespaces, or skips it without the right to them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/process.hpp"

namespace runtime_system_test {

namespace fs = std::filesystem;

/// This program's hidden case `name`, in namespaces of its own that `setup` prepares.
inline std::vector<std::string> in_namespaces(const std::string& options, const std::string& setup,
                                              std::vector<std::string> command) {
  command.insert(command.begin(),
                 {"unshare", options, "sh", "-c", setup + R"( && exec "$@")", "sh"});
  return command;
}

inline void run_in_namespaces(const std::string& options, const std::string& setup,
                              const std::string& name) {
  if (test::run(in_namespaces(options, setup, {"true"})).status != 0) {
    WARN("skipped: there are no such namespaces here");
    return;
  }
  const auto itself = fs::read_symlink("/proc/self/exe").string();
  const auto ended = test::run(in_namespaces(options, setup, {itself, name}));
  INFO(ended.out << ended.err);
  REQUIRE(ended.status == 0);
}

}  // namespace runtime_system_test
