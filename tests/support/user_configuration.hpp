// The user's own configuration of an application, for one test.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace test {

struct user_configuration {
  user_configuration(const std::filesystem::path& home, const std::string& application)
      : file(home / application / "config.toml") {
    std::filesystem::create_directories(file.parent_path());
    ::setenv("XDG_CONFIG_HOME", home.c_str(), 1);
  }
  user_configuration(const user_configuration&) = delete;
  user_configuration& operator=(const user_configuration&) = delete;
  ~user_configuration() { ::unsetenv("XDG_CONFIG_HOME"); }

  const std::filesystem::path file;
};

}  // namespace test
