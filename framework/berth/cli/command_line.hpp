// The words of a berth command line, understood and checked.
#pragma once

#include <optional>

#include <berth/cli/options.hpp>

namespace berth::cli {

using command = int (*)(const options&);

struct command_line {
  options given;
  command chosen = nullptr;
  bool asks_registry = false;  ///< another than the file system
  /// Nothing more is to do but to exit with this, after --help, --version or wrong usage.
  std::optional<int> exit_status;
};

/// Prints help to standard output, and what is wrong to standard error.
command_line parse_command_line(int argc, const char* const* argv);

}  // namespace berth::cli
