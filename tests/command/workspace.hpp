// A directory to run the command in, and its JSON output.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <berth/store/location.hpp>

#include <fmt/format.h>
#include <simdjson.h>

#include "support/process.hpp"

namespace command_test {

using namespace berth;
namespace fs = std::filesystem;

struct workspace {
  test::temporary_directory directory;
  fs::path here = fs::canonical(directory.path());
  location where{"pm", here / ".pm"};

  test::ended berth(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), BERTH_COMMAND);
    return test::run(arguments, here, {{"HOME", "/nonexistent"}});
  }
  void write_foreign(const std::string& name, int pid) const {
    fs::create_directories(where.directory);
    test::write_text(where.directory / name,
                     fmt::format("{{\"pid\": {}, \"port\": 8080, \"host\": \"0.0.0.0\", "
                                 "\"started_at\": \"now\", \"version\": \"1\"}}",
                                 pid));
  }
};

inline simdjson::dom::element json(const std::string& text) {
  static simdjson::dom::parser parser;
  return parser.parse(text);
}

}  // namespace command_test
