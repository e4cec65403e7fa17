#include <berth/config/declared_option.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include <berth/base/duration.hpp>
#include <berth/base/error.hpp>
#include <berth/config/environment.hpp>

namespace berth {
namespace {

/// Keys whose option or variable every service has already.
constexpr std::string_view framework_keys[] = {"config_dir", "help",          "host",   "instance",
                                               "log",        "log_level",     "plugin", "port",
                                               "registry",   "require_token", "version"};

bool is_option_key(std::string_view key) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto may_follow = [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; };
  return !key.empty() && key.size() <= 64 && is_lower(key.front()) &&
         std::all_of(key.begin(), key.end(), may_follow);
}

/// A number that takes up the whole text.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_true(std::string_view text) { return text == "true" || text == "1"; }
bool is_false(std::string_view text) { return text == "false" || text == "0"; }

}  // namespace

declared_option::declared_option(std::string name, std::string what_it_does,
                                 option_value by_default)
    : key(std::move(name)),
      help(std::move(what_it_does)),
      initial(std::move(by_default)),
      value(initial) {
  if (!is_option_key(key))
    throw invalid_value(fmt::format(
        "\"{}\" is not a valid name for an option: use lower-case letters, digits and \"_\"", key));
  const bool is_taken = std::find(std::begin(framework_keys), std::end(framework_keys), key) !=
                        std::end(framework_keys);
  if (is_taken || key.starts_with("server_"))
    throw invalid_value(fmt::format(
        "\"{}\" cannot be an option of a service, because berth uses that name: choose another",
        key));
}

std::string declared_option::flag() const {
  std::string flag = "--" + key;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string declared_option::variable_suffix() const {
  std::string suffix = key;
  for (char& c : suffix)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return suffix;
}

std::optional<option_value> parse_option(const option_value& like, std::string_view text) {
  const auto parse = [text]<typename T>(const T&) -> std::optional<option_value> {
    if constexpr (std::is_same_v<T, std::string>) {
      return std::string(text);
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!is_true(text) && !is_false(text)) return std::nullopt;
      return is_true(text);
    } else if constexpr (std::is_same_v<T, std::chrono::milliseconds>) {
      const auto parsed = parse_duration(text);
      if (!parsed) return std::nullopt;
      return std::chrono::round<std::chrono::milliseconds>(*parsed);
    } else {
      const auto number = parse_number<T>(text);
      if (!number) return std::nullopt;
      if constexpr (std::is_same_v<T, double>)
        if (!std::isfinite(*number)) return std::nullopt;
      return *number;
    }
  };
  return std::visit(parse, like);
}

std::string_view type_name(const option_value& like) noexcept {
  constexpr std::string_view names[] = {"a string", "a whole number", "true or false", "a number",
                                        "a duration such as \"5s\" or \"250ms\""};
  return names[like.index()];
}

std::string to_text(const option_value& value) {
  const auto format = []<typename T>(const T& one) -> std::string {
    if constexpr (std::is_same_v<T, std::string>) {
      return one;
    } else if constexpr (std::is_same_v<T, std::chrono::milliseconds>) {
      return one.count() != 0 && one.count() % 1000 == 0 ? fmt::format("{}s", one.count() / 1000)
                                                         : fmt::format("{}ms", one.count());
    } else {
      return fmt::format("{}", one);
    }
  };
  return std::visit(format, value);
}

void read_options_of_environment(std::string_view application, const option_list& options) {
  for (const auto& each : options) {
    const auto suffix = each->variable_suffix();
    const auto text = variable(application, suffix);
    if (!text) continue;
    auto value = parse_option(each->initial, *text);
    if (!value)
      throw invalid_value(fmt::format("{} must be {}, got \"{}\"",
                                      variable_name(application, suffix), type_name(each->initial),
                                      *text));
    each->value = std::move(*value);
  }
}

}  // namespace berth
