// How the help of a command looks: its own options, then the common ones, then an example.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace berth::cli {

class help_formatter final : public CLI::Formatter {
 public:
  /// For a command, the options that every command takes; for the program, its commands.
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override;
};

}  // namespace berth::cli
