#include <berth/config/settings.hpp>

#include <charconv>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <berth/base/error.hpp>
#include <berth/base/log.hpp>
#include <berth/config/environment.hpp>

namespace berth {
namespace {

struct number_key {
  std::string_view name;
  std::string_view variable;
  std::int64_t server_settings::*member;
};

constexpr number_key numbers[] = {
    {"port", "SERVER_PORT", &server_settings::port},
    {"max_connections", "SERVER_MAX_CONNECTIONS", &server_settings::max_connections},
    {"idle_shutdown_secs", "SERVER_IDLE_SHUTDOWN_SECS", &server_settings::idle_shutdown_secs},
};

/// One config.toml, so that messages can say where something stands.
class config_file {
 public:
  config_file(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  void read_into(server_settings& settings) const {
    const toml::table document = parse();
    for (const auto& [key, value] : document) {
      if (key == "plugin")
        read_plugins(value, settings);
      else if (key == "registry" && value.is_string())
        settings.registry = value.ref<std::string>();
      else if (key == "registry")
        fail(value, "registry must be a string");
      else if (key != "server")
        warn_unknown(key.str(), value);
      else if (const auto* server = value.as_table())
        read_server(*server, settings);
      else
        fail(value, "server must be a table, as in [server]");
    }
  }

 private:
  toml::table parse() const {
    try {
      return toml::parse(text_, path_);
    } catch (const toml::parse_error& failed) {
      throw invalid_value(
          fmt::format("{}:{}: {}", path_, failed.source().begin.line, failed.description()));
    }
  }

  void read_server(const toml::table& server, server_settings& settings) const {
    for (const auto& [key, value] : server) {
      if (key == "host") {
        if (!value.is_string()) fail(value, "server.host must be a string");
        settings.host = value.ref<std::string>();
        continue;
      }
      const number_key* known = nullptr;
      for (const auto& each : numbers)
        if (key == each.name) known = &each;
      if (!known) {
        warn_unknown(fmt::format("server.{}", key.str()), value);
        continue;
      }
      if (!value.is_integer())
        fail(value, fmt::format("server.{} must be a whole number", known->name));
      settings.*known->member = value.ref<std::int64_t>();
    }
  }

  // A path counts from the file's directory.
  void read_plugins(const toml::node& all, server_settings& settings) const {
    const auto* const array = all.as_array();
    if (!array) fail(all, "plugin must be an array of tables, as in [[plugin]]");
    for (const auto& each : *array) {
      const auto* const table = each.as_table();
      const auto* const path = table ? table->get_as<std::string>("path") : nullptr;
      if (!path || path->get().empty()) fail(each, "a plugin needs a path, a string");
      plugin_settings one{std::filesystem::path(path_).parent_path() / path->get(), {}};
      for (const auto& [key, value] : *table)
        if (key != "path") one.values[std::string(key.str())] = text_of(key.str(), value);
      settings.plugins.push_back(std::move(one));
    }
  }

  std::string text_of(std::string_view key, const toml::node& value) const {
    if (const auto text = value.value_exact<std::string>()) return *text;
    if (const auto number = value.value_exact<std::int64_t>()) return std::to_string(*number);
    if (const auto flag = value.value_exact<bool>()) return *flag ? "true" : "false";
    fail(value, fmt::format("plugin.{} must be a string, a whole number or a boolean", key));
  }

  [[noreturn]] void fail(const toml::node& at, std::string_view message) const {
    throw invalid_value(fmt::format("{}:{}: {}", path_, at.source().begin.line, message));
  }
  void warn_unknown(std::string_view key, const toml::node& at) const {
    log::warning("{}:{}: unknown key {} is ignored", path_, at.source().begin.line, key);
  }

  std::string_view text_;
  const std::string& path_;
};

std::int64_t parse_variable(const std::string& name, const std::string& text) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size())
    throw invalid_value(fmt::format("{} must be a whole number, got \"{}\"", name, text));
  return number;
}

void read_environment(std::string_view application, server_settings& settings) {
  if (auto host = variable(application, "SERVER_HOST")) settings.host = std::move(*host);
  for (const auto& each : numbers)
    if (const auto text = variable(application, each.variable))
      settings.*each.member = parse_variable(variable_name(application, each.variable), *text);
}

std::string read_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) throw error(std::make_error_code(std::errc::io_error), "read", path);
  return text.str();
}

}  // namespace

void read_settings(std::string_view text, const std::string& path, server_settings& settings) {
  config_file(text, path).read_into(settings);
}

server_settings load_settings(std::string_view application,
                              const std::filesystem::path& directory) {
  server_settings settings;
  const auto path = directory / "config.toml";
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (failed && status.type() != std::filesystem::file_type::not_found)
    throw error(failed, "examine", path.string());
  if (std::filesystem::exists(status)) {
    if (!std::filesystem::is_regular_file(status))
      throw invalid_value(fmt::format("{} is not a regular file", path.string()));
    read_settings(read_text(path.string()), path.string(), settings);
  }
  read_environment(application, settings);
  return settings;
}

void validate(const server_settings& settings) {
  if (settings.host.empty()) throw invalid_value("server.host must not be empty");
  if (settings.port > 65535)
    throw invalid_value(fmt::format("server.port must be at most 65535, got {}", settings.port));
  if (settings.port != 0 && settings.port < 1024)
    throw invalid_value(
        fmt::format("server.port must be 0 (auto) or >= 1024, got {}", settings.port));
  if (settings.max_connections < 1 || settings.max_connections > 100000)
    throw invalid_value(
        fmt::format("server.max_connections must be 1-100000, got {}", settings.max_connections));
  if (settings.idle_shutdown_secs < 0 || settings.idle_shutdown_secs > 31536000)
    throw invalid_value(fmt::format("server.idle_shutdown_secs must be 0-31536000, got {}",
                                    settings.idle_shutdown_secs));
}

}  // namespace berth
