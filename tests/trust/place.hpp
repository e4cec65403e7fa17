// A directory to run berth in, as this user or as a stranger.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <berth/base/error.hpp>
#include <berth/config/settings.hpp>

#include "support/catch.hpp"
#include "support/process.hpp"

namespace trust_test {

using namespace berth;
namespace fs = std::filesystem;

inline constexpr unsigned stranger = 12345;

/// A directory that every user can enter, and commands that are run in it.
struct place {
  place() { fs::permissions(here, fs::perms(0755)); }

  test::ended berth(const fs::path& in, std::vector<std::string> words,
                    std::map<std::string, std::string> environment = {}) const {
    words.insert(words.begin(), BERTH_COMMAND);
    environment.emplace("HOME", "/nonexistent");
    return test::run(words, in, environment);
  }
  /// As another user, whom only root can become.
  test::ended berth_as_stranger(const fs::path& in, std::vector<std::string> words) const {
    std::vector<std::string> whole{"setpriv",
                                   "--reuid",
                                   std::to_string(stranger),
                                   "--regid",
                                   std::to_string(stranger),
                                   "--clear-groups",
                                   BERTH_COMMAND};
    whole.insert(whole.end(), words.begin(), words.end());
    return test::run(whole, in, {{"HOME", "/nonexistent"}});
  }
  fs::path make(const fs::path& relative, unsigned mode = 0755) const {
    fs::create_directories(here / relative);
    fs::permissions(here / relative, fs::perms(mode));
    return here / relative;
  }

  test::temporary_directory directory;
  fs::path here = fs::canonical(directory.path());
};

inline bool is_root() { return ::geteuid() == 0; }

inline void give_to_stranger(const fs::path& path) {
  REQUIRE(::chown(path.c_str(), stranger, stranger) == 0);
}

inline std::string refusal_of(const fs::path& directory) {
  try {
    (void)load_settings("pm", directory);
  } catch (const error& refused) {
    return refused.what();
  }
  return "accepted";
}

}  // namespace trust_test
