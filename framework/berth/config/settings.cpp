#include <berth/config/settings.hpp>

#include <charconv>

#include <fmt/format.h>
#define TOML_EXCEPTIONS 1
// The assertions of toml++ fail on some malformed texts; without them it reports an error.
#define TOML_ASSERT(expression) static_cast<void>(0)
#include <toml++/toml.h>

#include <berth/base/error.hpp>
#include <berth/base/log.hpp>
#include <berth/config/directory.hpp>
#include <berth/config/environment.hpp>
#include <berth/config/toml_depth.hpp>
#include <berth/record/record_check.hpp>
#include <berth/store/trust.hpp>

namespace berth {
namespace {

struct number_key {
  std::string_view name;
  std::string_view variable;
  std::int64_t server_settings::* member;
};

constexpr number_key numbers[] = {
    {"port", "SERVER_PORT", &server_settings::port},
    {"max_connections", "SERVER_MAX_CONNECTIONS", &server_settings::max_connections},
    {"idle_shutdown_secs", "SERVER_IDLE_SHUTDOWN_SECS", &server_settings::idle_shutdown_secs},
};

/// One config.toml, so that messages can say where something stands.
class config_file {
 public:
  config_file(std::string_view text, const std::string& path, config_tier tier,
              const std::string& user_file, const own_table& own)
      : text_(text), path_(path), tier_(tier), user_file_(user_file), own_(own) {}

  void read_into(server_settings& settings) const {
    const toml::table document = parse();
    for (const auto& [key, value] : document) {
      if (tier_ == config_tier::workspace && (key == "plugin" || key == "registry"))
        refuse_in_workspace(key.str(), value);
      else if (key == "plugin")
        read_plugins(value, settings);
      else if (key == "registry" && value.is_string())
        settings.registry = value.ref<std::string>();
      else if (key == "registry")
        fail(value, "registry must be a string");
      else if (key == own_.application && key != "server")
        read_own(value);
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
    if (const auto line = deeply_nested_line(text_))
      throw invalid_value(fmt::format("{}:{}: the keys are nested too deeply", path_, line));
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

  void read_own(const toml::node& all) const {
    const auto* const table = all.as_table();
    if (!table) fail(all, fmt::format("{0} must be a table, as in [{0}]", own_.application));
    if (!own_.options) return;
    for (const auto& [key, value] : *table) {
      declared_option* known = nullptr;
      for (const auto& each : *own_.options)
        if (key == each->key) known = each.get();
      if (known)
        read_option(*known, value);
      else
        warn_unknown(fmt::format("{}.{}", own_.application, key.str()), value);
    }
  }

  void read_option(declared_option& option, const toml::node& node) const {
    const auto read = [&]<typename T>(const T&) -> std::optional<option_value> {
      if constexpr (std::is_same_v<T, std::chrono::milliseconds>) {
        const auto text = node.value_exact<std::string>();
        return text ? parse_option(option.initial, *text) : std::nullopt;
      } else if constexpr (std::is_same_v<T, double>) {
        return node.is_number() ? node.value<double>() : std::nullopt;
      } else {
        return node.value_exact<T>();
      }
    };
    auto value = std::visit(read, option.initial);
    if (!value)
      fail(node, fmt::format("{}.{} must be {}", own_.application, option.key,
                             type_name(option.initial)));
    option.value = std::move(*value);
  }

  // A path with a slash counts from the file's directory; a name is that of an installed plugin.
  void read_plugins(const toml::node& all, server_settings& settings) const {
    const auto* const array = all.as_array();
    if (!array) fail(all, "plugin must be an array of tables, as in [[plugin]]");
    for (const auto& each : *array) {
      const auto* const table = each.as_table();
      const auto* const path = table ? table->get_as<std::string>("path") : nullptr;
      if (!path || path->get().empty()) fail(each, "a plugin needs a path, a string");
      plugin_settings one{path->get(), {}};
      if (one.path.has_parent_path())
        one.path = std::filesystem::path(path_).parent_path() / one.path;
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

  [[noreturn]] void refuse_in_workspace(std::string_view key, const toml::node& at) const {
    fail(at, fmt::format("{} {}, so it is not read from a workspace's file, which anybody may have "
                         "written: put it into {}",
                         key, key == "plugin" ? "runs code" : "sends clients elsewhere",
                         user_file_.empty() ? "your own config.toml" : user_file_));
  }
  [[noreturn]] void fail(const toml::node& at, std::string_view message) const {
    throw invalid_value(fmt::format("{}:{}: {}", path_, at.source().begin.line, message));
  }
  void warn_unknown(std::string_view key, const toml::node& at) const {
    log::warning("{}:{}: unknown key {} is ignored", path_, at.source().begin.line, key);
  }

  std::string_view text_;
  const std::string& path_;
  config_tier tier_;
  const std::string& user_file_;
  const own_table& own_;
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

void read_user_file(const std::filesystem::path& path, server_settings& settings,
                    const own_table& own) {
  if (path.empty()) return;
  if (const auto text = read_code_file(path, max_config_file_size))
    read_settings(*text, path.string(), settings, config_tier::user, {}, own);
}

void read_workspace_file(const std::filesystem::path& path, const std::string& user_file,
                         server_settings& settings, const own_table& own) {
  if (const auto text = read_trusted_file(path, max_config_file_size))
    read_settings(*text, path.string(), settings, config_tier::workspace, user_file, own);
}

bool is_same_file(const std::filesystem::path& one, const std::filesystem::path& other) {
  std::error_code ignored;
  return std::filesystem::equivalent(one, other, ignored);
}

}  // namespace

void read_settings(std::string_view text, const std::string& path, server_settings& settings,
                   config_tier tier, const std::string& user_file, const own_table& own) {
  config_file(text, path, tier, user_file, own).read_into(settings);
}

server_settings load_settings(std::string_view application, const std::filesystem::path& directory,
                              const option_list* options) {
  server_settings settings;
  const own_table own{application, options};
  const auto user_file = user_config_file(application);
  const auto workspace_file = directory / "config.toml";
  // By a link or by XDG_CONFIG_HOME=/proc/self/cwd, a workspace could offer its file as the user's.
  if (is_same_file(user_file, workspace_file)) {
    read_workspace_file(workspace_file,
                        "a file outside the workspace; this one is your own config.toml as well, "
                        "by XDG_CONFIG_HOME or by the directory that you named: keep the two apart",
                        settings, own);
  } else {
    read_user_file(user_file, settings, own);
    read_workspace_file(workspace_file, user_file.string(), settings, own);
  }
  read_environment(application, settings);
  if (options) read_options_of_environment(application, *options);
  return settings;
}

void validate(const server_settings& settings) {
  if (settings.host.empty()) throw invalid_value("server.host must not be empty");
  check_host(settings.host, "server.host");
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
