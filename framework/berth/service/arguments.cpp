#include <berth/service/arguments.hpp>

#include <CLI/CLI.hpp>

namespace berth {

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
  app.add_option("--log-level", level, "Least important level that is logged (info)")
      ->check(CLI::IsMember({"off", "error", "warning", "info", "debug"}));
  app.set_version_flag("--version", name + " " + version);
  try {
    app.parse(argc, argv);
    parsed.log_level = log::parse_level(level);
  } catch (const CLI::ParseError& ended) {
    parsed.exit_status = app.exit(ended) == 0 ? 0 : 2;
  }
  return parsed;
}

}  // namespace berth
