#include <berth/config/environment.hpp>

#include <cstdlib>

namespace berth {

std::string variable_name(std::string_view application, std::string_view suffix) {
  std::string name;
  for (const char c : application) {
    if (c >= 'a' && c <= 'z')
      name += static_cast<char>(c - 'a' + 'A');
    else
      name += c == '-' || c == '.' ? '_' : c;
  }
  name += '_';
  name += suffix;
  return name;
}

std::optional<std::string> variable(std::string_view application, std::string_view suffix) {
  const char* const value = std::getenv(variable_name(application, suffix).c_str());
  if (!value || !*value) return std::nullopt;
  return value;
}

}  // namespace berth
