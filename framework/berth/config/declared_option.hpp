// A setting that a program declares for itself: a key, a type, a default and a line of help. Its
// value comes from [<app>] of config.toml, from the environment or from the command line; texts
// from there are parsed by the type of the default.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace berth {

using option_value =
    std::variant<std::string, std::int64_t, bool, double, std::chrono::milliseconds>;

struct declared_option {
  /// Throws invalid_value if the key is not a name of lower-case letters, digits and '_', or is one
  /// that the framework uses, on the command line or in the environment.
  declared_option(std::string name, std::string what_it_does, option_value by_default);

  /// "--max-items" for max_items.
  std::string flag() const;
  /// "MAX_ITEMS", which follows the application's name in the environment.
  std::string variable_suffix() const;

  std::string key;
  std::string help;
  option_value initial;
  option_value value;
};

using option_list = std::vector<std::shared_ptr<declared_option>>;

/// A value of the type of `like`; nullopt if `text` is none. Durations are a whole number and a
/// unit: "250ms", "5s", "2m", "1h".
std::optional<option_value> parse_option(const option_value& like, std::string_view text);
/// What a value of that type is called in messages: "a whole number".
std::string_view type_name(const option_value& like) noexcept;
/// The value as a text that parse_option accepts.
std::string to_text(const option_value& value);

/// Sets the options whose variable is set. Throws invalid_value, naming the variable.
void read_options_of_environment(std::string_view application, const option_list& options);

}  // namespace berth
