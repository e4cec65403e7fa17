#include <berth/cli/command_line.hpp>

#include <algorithm>
#include <iterator>

#include <CLI/CLI.hpp>

#include <berth/base/error.hpp>
#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/cli/registry_hint.hpp>
#include <berth/config/directory.hpp>
#include <berth/config/environment.hpp>
#include <berth/config/settings.hpp>

#ifndef BERTH_VERSION
#define BERTH_VERSION "0"
#endif

namespace berth::cli {

location options::where() const {
  return {application, config_directory(application, config_dir), instance};
}

std::string options::registry_url() const {
  std::string url = registry;
  if (url.empty()) url = variable(application, "REGISTRY").value_or("");
  if (url.empty() && may_ask_registry(where()))
    url = load_settings(application, where().directory).registry;
  return url == "file" ? std::string() : url;
}

namespace {

struct named_command {
  const char* name;
  const char* help;
  command run;
};

constexpr named_command commands[] = {
    {"path", "Print where the port file is expected", path},
    {"url", "Print the URL of the live server", url},
    {"status", "Print what is published, the verdict on it and why", status},
    {"wait", "Wait until a live server is published, then print its URL", wait},
    {"announce", "Publish on behalf of COMMAND until it ends, or until SIGTERM or SIGINT",
     announce},
    {"ensure", "Print the URL of the live server, starting COMMAND if there is none", ensure},
    {"replace", "Start COMMAND beside the live server, which hands over to it and drains", replace},
    {"list", "Print every live server of the application on this machine", list},
    {"stop", "Ask the live server to stop, and wait until it has gone", stop},
    {"clean", "Remove stale files, printing each", clean},
    {"doctor", "Examine everything here, say what is wrong and what to do", doctor},
};

void add_timeout(CLI::App& to, options& given) {
  to.add_option_function<double>(
        "--timeout",
        [&given](const double& seconds) {
          given.timeout = std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::duration<double>(seconds));
        },
        "Give up after so many seconds")
      ->check(CLI::Range(0.0, 31536000.0));
}

void add_announcement(CLI::App& to, options& given) {
  to.add_option("--port", given.port, "Port that the server listens on")
      ->required()
      ->check(CLI::Range(1, 65535));
  to.add_option("--host", given.host, "Address that the server is bound to")
      ->default_val("127.0.0.1");
  to.add_option("--version", given.version, "Version of the server")->default_val("unknown");
  to.add_option("COMMAND", given.command, "The server and its arguments, after --");
}

void add_ensuring(CLI::App& to, options& given) {
  to.add_option("--exact-version", given.exact_version, "Replace a server of any other version");
  to.add_option("--min-version", given.minimum_version, "Replace a server of an earlier version");
  to.add_option("--log", given.log, "File for its output (INSTANCE.log in the directory)");
  to.add_option("COMMAND", given.command, "The server and its arguments, after --")->required();
}

void add_url(CLI::App& to, options& given) {
  to.add_option("--endpoint", given.endpoint, "That of one of its other listeners, by name");
  to.add_flag("--with-token", given.with_token, "With the token that the server asks for");
}

void add_list(CLI::App& to, options& given) {
  to.add_flag("--all", given.all, "Of every application");
  to.add_flag("--watch", given.watch, "Go on, and print what comes and goes");
}

void check_names(const options& given) {
  (void)location(given.application, "", given.instance);
  if (given.host.find('\0') != std::string::npos) throw invalid_value("--host is no address");
}

}  // namespace

command_line parse_command_line(int argc, const char* const* argv) {
  command_line parsed;
  options& given = parsed.given;
  CLI::App app("Publishes and finds the one server of a workspace", "berth");
  app.set_version_flag("-V,--version", "berth " BERTH_VERSION);
  app.add_option("--app", given.application, "Name of the application")
      ->default_val(std::string(default_application()));
  app.add_option("--config-dir", given.config_dir, "Directory of the port file");
  app.add_option("--instance", given.instance, "Which of several servers in the directory")
      ->default_val(std::string(default_instance));
  app.add_option("--registry", given.registry,
                 "For url, list, wait and status: etcd://HOST:PORT[,HOST:PORT][/PREFIX], or file");
  app.add_flag("--json", given.json, "Print one JSON object");
  app.require_subcommand(1);
  app.fallthrough();
  for (const auto& each : commands) {
    CLI::App* const sub = app.add_subcommand(each.name, each.help);
    sub->callback([&parsed, run = each.run] { parsed.chosen = run; });
    if (each.run == wait || each.run == stop || each.run == ensure || each.run == replace)
      add_timeout(*sub, given);
    if (each.run == ensure || each.run == replace) add_ensuring(*sub, given);
    if (each.run == url) add_url(*sub, given);
    if (each.run == list) add_list(*sub, given);
    if (each.run == stop)
      sub->add_flag("--now", given.now, "Do not wait for requests in flight: have them cancelled");
    if (each.run == announce) add_announcement(*sub, given);
  }
  try {
    app.parse(argc, argv);
    check_names(given);
    const command asking[] = {url, list, wait, status};
    const bool may =
        std::find(std::begin(asking), std::end(asking), parsed.chosen) != std::end(asking);
    if (!may && !given.registry.empty())
      throw invalid_value("--registry goes with url, list, wait and status");
    parsed.asks_registry = may && !given.registry_url().empty();
  } catch (const CLI::ParseError& ended) {
    parsed.exit_status = app.exit(ended) == 0 ? done : wrong_usage;
  } catch (const invalid_value& wrong) {
    complain(wrong.what());
    parsed.exit_status = wrong_usage;
  }
  return parsed;
}

}  // namespace berth::cli
