// Parses the berth command line.
#pragma once

#include <optional>

#include <berth/cli/options.hpp>

namespace berth::cli {

using command = int (*)(const options&);

struct command_line {
  cli::options options;
  command chosen = nullptr;
  /// Set if nothing is left to do but to exit: after --help, --version or wrong usage.
  std::optional<int> exit_status;
};

/// Prints help on standard output, and usage errors on standard error.
command_line parse_command_line(int argc, const char* const* argv);

}  // namespace berth::cli
