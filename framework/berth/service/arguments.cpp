#include <berth/service/arguments.hpp>

#include <sstream>

#include <CLI/CLI.hpp>

namespace berth {

namespace {

/// "PATH" or "PATH=name=value,name=value".
plugin_settings parse_plugin(const std::string& text) {
  const auto end = text.find('=');
  plugin_settings one{text.substr(0, end), {}};
  if (one.path.empty()) throw CLI::ValidationError("--plugin", "the path is missing");
  if (end == std::string::npos) return one;
  std::istringstream rest(text.substr(end + 1));
  for (std::string each; std::getline(rest, each, ',');) {
    const auto middle = each.find('=');
    if (middle == 0 || middle == std::string::npos)
      throw CLI::ValidationError("--plugin", "\"" + each + "\" is not NAME=VALUE");
    one.values[each.substr(0, middle)] = each.substr(middle + 1);
  }
  return one;
}

}  // namespace

service_arguments parse_arguments(int argc, const char* const* argv, const std::string& name,
                                  const std::string& version) {
  service_arguments parsed;
  std::string level;
  CLI::App app(name + " binds a port, publishes it and serves until SIGTERM or SIGINT", name);
  app.add_option("--host", parsed.host, "Address or name to bind to (127.0.0.1)");
  app.add_option("--port", parsed.port, "Port to bind, 0 to let the system pick (0)");
  app.add_option("--config-dir", parsed.config_dir, "Directory of config.toml and the port file");
  app.add_option("--instance", parsed.instance,
                 "Which of several servers in the directory (server)");
  app.add_flag("--require-token", parsed.require_token,
               "Publish a random token, and serve only who has it");
  std::vector<std::string> plugins;
  app.add_option("--plugin", plugins, "Shared object to load, as PATH or PATH=NAME=VALUE,...")
      ->allow_extra_args(false);
  app.add_option("--log-level", level, "Least important level that is logged (info)")
      ->check(CLI::IsMember({"off", "error", "warning", "info", "debug"}));
  app.set_version_flag("--version", name + " " + version);
  try {
    app.parse(argc, argv);
    for (const auto& each : plugins) parsed.plugins.push_back(parse_plugin(each));
    parsed.log_level = log::parse_level(level);
  } catch (const CLI::ParseError& ended) {
    parsed.exit_status = app.exit(ended) == 0 ? 0 : 2;
  }
  return parsed;
}

}  // namespace berth
