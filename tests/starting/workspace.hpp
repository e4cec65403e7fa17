// A directory with a list of instances of the test's own.
#pragma once

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <berth/client/ensure.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"

namespace starting_test {

using namespace berth;
namespace fs = std::filesystem;

/// A directory, and a list of instances of the test's own.
struct workspace {
  workspace() { ::setenv("BERTH_LIST_DIR", (runtime.path() / "berth").c_str(), 1); }
  ~workspace() {
    test::run({BERTH_COMMAND, "stop", "--timeout", "10"}, here);
    ::unsetenv("BERTH_LIST_DIR");
  }
  test::ended berth(std::vector<std::string> words) const {
    words.insert(words.begin(), BERTH_COMMAND);
    return test::run(words, here);
  }
  test::ended ensure(std::vector<std::string> options, std::vector<std::string> command) const {
    options.insert(options.begin(), "ensure");
    options.push_back("--");
    options.insert(options.end(), command.begin(), command.end());
    return berth(options);
  }
  /// Nothing of a failed start is left but its log.
  void check_clean() const {
    REQUIRE_FALSE(read_live(where));
    for (const auto& entry : fs::directory_iterator(where.directory)) {
      const auto name = entry.path().filename().string();
      INFO(name);
      REQUIRE((name.starts_with("server.lock") || name == "server.log" || name == ".gitignore"));
    }
  }

  test::temporary_directory runtime, directory;
  fs::path here = fs::canonical(directory.path());
  location where{"pm", here / ".pm"};
};

inline record ours(std::uint16_t port) { return describe_this_process("127.0.0.1", port, "1"); }

}  // namespace starting_test
