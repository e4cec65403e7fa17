#include <berth/service/arguments.hpp>

#include <cstdio>
#include <sstream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <berth/base/error.hpp>
#include <berth/base/redact.hpp>

namespace berth {

namespace {

/// Whether the setting holds a secret, which everybody could read in the list of processes. A
/// setting that names a file, such as password_file, holds none.
bool is_secret(std::string_view name, std::string_view value) {
  for (const std::string_view secret : {"password", "passwd", "pass", "pwd", "secret", "token"})
    if (name.ends_with(secret)) return true;
  return value.find("://") != std::string_view::npos && has_password(value);
}

/// "PATH" or "PATH=name=value,name=value". Errors do not quote the value: it may be a secret.
plugin_settings parse_plugin(const std::string& text) {
  const auto end = text.find('=');
  plugin_settings one{text.substr(0, end), {}};
  if (one.path.empty()) throw CLI::ValidationError("--plugin", "the path is missing");
  if (end == std::string::npos) return one;
  std::istringstream rest(text.substr(end + 1));
  for (std::string each; std::getline(rest, each, ',');) {
    const auto middle = each.find('=');
    if (middle == 0 || middle == std::string::npos)
      throw CLI::ValidationError("--plugin",
                                 "a setting of " + one.path.string() + " is not NAME=VALUE");
    const std::string name = each.substr(0, middle);
    if (is_secret(name, each.substr(middle + 1)))
      throw CLI::ValidationError(
          "--plugin", "everybody could read the setting " + name + " of " + one.path.string() +
                          " in the list of processes: put it into config.toml, or its password "
                          "into a file, as in password_file=FILE");
    one.values[name] = each.substr(middle + 1);
  }
  return one;
}

/// Adds an option of the service's own, whose text goes into `given`.
void add_own(CLI::App& app, const declared_option& option,
             std::map<std::string, std::string>& given) {
  const auto take = [&option, &given](const std::string& text) {
    if (!parse_option(option.initial, text))
      throw CLI::ValidationError(
          fmt::format("{} must be {}, got \"{}\"", option.flag(), type_name(option.initial), text));
    given[option.key] = text;
  };
  const std::string help = fmt::format("{} ({})", option.help, to_text(option.initial));
  if (std::holds_alternative<bool>(option.initial)) {
    const auto take_flag = [take](const CLI::results_t& texts) {
      take(texts.empty() ? "true" : texts.back());
      return true;
    };
    app.add_option(option.flag(), take_flag, help)->expected(0)->group("Service options");
  } else {
    app.add_option_function<std::string>(option.flag(), take, help)->group("Service options");
  }
}

/// Prints --help and --version on standard output; anything else is wrong usage.
int tell(const CLI::App& app, const CLI::ParseError& ended) {
  std::ostringstream answer, ignored;
  if (app.exit(ended, answer, ignored) != 0) {
    log::write_line(app.get_name() + ": " + ended.what() + "; see: " + app.get_name() + " --help");
    return 2;
  }
  const std::string text = answer.str();
  const bool is_written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (is_written && std::fflush(stdout) == 0) return 0;
  log::error("{}", error(last_system_error(), "write", "standard output").what());
  return 1;
}

}  // namespace

service_arguments parse_arguments(int argc, const char* const* argv, const std::string& name,
                                  const std::string& version, const option_list& own) {
  service_arguments parsed;
  std::string level;
  CLI::App app(name + " binds a port, publishes it and serves until SIGTERM or SIGINT", name);
  app.add_option("--host", parsed.host, "Address or name to bind to (127.0.0.1)");
  app.add_option("--port", parsed.port, "Port to bind, 0 to let the system pick (0)");
  app.add_option("--config-dir", parsed.config_dir, "Directory of config.toml and the port file");
  app.add_option("--instance", parsed.instance,
                 "Name of the server, if the directory has several (server)");
  app.add_flag("--require-token", parsed.require_token,
               "Publish a random token, and serve only clients that have it");
  std::vector<std::string> plugins;
  app.add_option("--plugin", plugins, "Shared object to load, as PATH or PATH=NAME=VALUE,...")
      ->allow_extra_args(false);
  app.add_option("--log-level", level, "Least severe level that is logged (info)")
      ->check(CLI::IsMember({"off", "error", "warning", "info", "debug"}));
  for (const auto& each : own) add_own(app, *each, parsed.options);
  app.set_version_flag("--version", name + " " + version);
  try {
    app.parse(argc, argv);
    for (const auto& each : plugins) parsed.plugins.push_back(parse_plugin(each));
    parsed.log_level = log::parse_level(level);
  } catch (const CLI::ParseError& ended) {
    parsed.exit_status = tell(app, ended);
  }
  return parsed;
}

}  // namespace berth
