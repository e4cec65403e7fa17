#include <berth/store/location.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <berth/base/error.hpp>

namespace berth {
namespace {

void check_name(std::string_view what, std::string_view name) {
  if (is_plain_name(name)) return;
  throw invalid_value(
      fmt::format("\"{}\" is not a valid name for {}: use 1-64 letters, digits, '-', '_' and '.', "
                  "the first a letter or a digit",
                  name, what));
}

}  // namespace

path_name location::port_file_name() const {
  constexpr std::string_view ending = ".json";
  path_name name;
  name.reserve(directory.native().size() + 1 + instance.size() + ending.size());
  name = directory.native();
  if (!name.empty() && name.back() != '/' &&
      name.back() != std::filesystem::path::preferred_separator)
    name += std::filesystem::path::preferred_separator;
  name.append(instance.begin(), instance.end());
  return name.append(ending.begin(), ending.end());
}

bool is_plain_name(std::string_view name) noexcept {
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto allowed = [&](char c) {
    return letter_or_digit(c) || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= 64 && letter_or_digit(name.front()) &&
         std::all_of(name.begin(), name.end(), allowed);
}

location::location(std::string application_name, std::filesystem::path config_directory,
                   std::string instance_name)
    : application(std::move(application_name)),
      directory(std::move(config_directory)),
      instance(std::move(instance_name)) {
  check_name("an application", application);
  check_name("an instance", instance);
}

}  // namespace berth
