#include <berth/cli/usage_error.hpp>

#include <cstring>

#include <fmt/format.h>

#include <berth/base/redact.hpp>
#include <berth/cli/suggestion.hpp>

namespace berth::cli {
namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* each : app.get_subcommands(nullptr)) names.push_back(each->get_name());
  return names;
}

void add_option_names(const CLI::App& app, std::vector<std::string>& names) {
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
}

/// The command that was given, or null.
const CLI::App* given_command(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? nullptr : commands.front();
}

std::string unknown(std::string_view kind, const std::string& word,
                    const std::vector<std::string>& known, const std::string& help) {
  const auto nearest = suggestion_for(word, known);
  const auto message = fmt::format("unknown {} '{}'", kind, without_password(word));
  return nearest.empty() ? fmt::format("{}; see: {}", message, help)
                         : fmt::format("{}: did you mean '{}'?", message, nearest);
}

/// The message for the first argument that nothing accepts.
std::string unexpected(const CLI::App& app, const std::string& word, const std::string& help) {
  const auto* const command = given_command(app);
  if (word.starts_with('-') && word != "-") {
    std::vector<std::string> options;
    add_option_names(app, options);
    if (command) add_option_names(*command, options);
    return unknown("option", word.substr(0, word.find('=')), options, help);
  }
  if (!command) return unknown("command", word, command_names(app), help);
  return fmt::format("{} takes no argument '{}'; see: {}", command->get_name(),
                     without_password(word), help);
}

}  // namespace

std::string usage_message(const CLI::App& app, const CLI::ParseError& thrown, int argc,
                          const char* const* argv) {
  const auto* const command = given_command(app);
  const std::string help = command ? "berth " + command->get_name() + " --help" : "berth --help";
  const bool may_be_unexpected = dynamic_cast<const CLI::ExtrasError*>(&thrown) ||
                                 dynamic_cast<const CLI::RequiredError*>(&thrown);
  if (const auto rest = app.remaining(true); may_be_unexpected && !rest.empty())
    return unexpected(app, rest.front(), help);
  if (!command && dynamic_cast<const CLI::RequiredError*>(&thrown))
    return "a command is required; see: " + help;
  std::string text = thrown.what();
  for (int i = 1; i < argc; ++i)
    if (const auto at = text.find(argv[i]); has_password(argv[i]) && at != std::string::npos)
      text.replace(at, std::strlen(argv[i]), without_password(argv[i]));
  return fmt::format("{}; see: {}", text, help);
}

}  // namespace berth::cli
