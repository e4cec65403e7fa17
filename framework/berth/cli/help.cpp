#include <berth/cli/help.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace berth::cli {

std::string help_formatter::make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const {
  const CLI::App* const program = app->get_parent();
  if (!program) return Formatter::make_subcommands(app, mode);
  constexpr std::string_view common[] = {"--app", "--config-dir", "--instance", "--json"};
  const auto options = program->get_options([&](const CLI::Option* option) {
    return std::find(std::begin(common), std::end(common), option->get_name()) != std::end(common);
  });
  return make_group("Options of every command", false, options);
}

}  // namespace berth::cli
