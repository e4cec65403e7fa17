// Says what is wrong with a command line.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace berth::cli {

/// The message for `thrown` by parsing the arguments with `app`. It quotes no password.
std::string usage_message(const CLI::App& app, const CLI::ParseError& thrown, int argc,
                          const char* const* argv);

}  // namespace berth::cli
