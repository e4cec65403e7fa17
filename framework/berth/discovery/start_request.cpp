#include <berth/discovery/start_request.hpp>

#include <cstdlib>

#include <fmt/format.h>

#include <berth/base/error.hpp>

namespace berth {
namespace {

std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  if (!value) return {};
  std::string taken = value;
#ifdef _WIN32
  ::_putenv_s(name, "");
#else
  ::unsetenv(name);
#endif
  return taken;
}

bool is_same_directory(const std::filesystem::path& one, const std::filesystem::path& other) {
  std::error_code ignored;
  return one == other || std::filesystem::weakly_canonical(one, ignored) ==
                             std::filesystem::weakly_canonical(other, ignored);
}

}  // namespace

void start_request::complete(std::filesystem::path& directory, std::string& instance) const {
  if (port_file.empty()) return;
  if (directory.empty()) directory = port_file.parent_path();
  if (instance.empty()) instance = port_file.stem().string();
  const auto chosen = directory / (instance + ".json");
  if (chosen.filename() == port_file.filename() &&
      is_same_directory(directory, port_file.parent_path()))
    return;
  throw error(
      fmt::format("the arguments say to publish {}, but the program that started this server "
                  "waits for {}: give --config-dir and --instance to \"berth ensure\" instead",
                  chosen.string(), port_file.string()),
      std::make_error_code(std::errc::invalid_argument));
}

const start_request& take_start_request() {
  static const start_request taken{take_variable(publish_variable),
                                   take_variable(replaces_variable), take_variable(log_variable)};
  return taken;
}

std::vector<std::string> environment_with(const start_request& request,
                                          std::vector<std::string> environment) {
  const std::pair<const char*, std::string> variables[] = {
      {publish_variable, request.port_file.string()},
      {replaces_variable, request.replaces},
      {log_variable, request.log.string()},
  };
  for (const auto& [name, value] : variables) {
    const std::string start = std::string(name) + "=";
    std::erase_if(environment,
                  [&](const std::string& variable) { return variable.starts_with(start); });
    if (!value.empty()) environment.push_back(start + value);
  }
  return environment;
}

}  // namespace berth
