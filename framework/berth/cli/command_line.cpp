#include <berth/cli/command_line.hpp>

#include <algorithm>
#include <iterator>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <berth/base/duration.hpp>
#include <berth/base/error.hpp>
#include <berth/base/redact.hpp>
#include <berth/cli/commands.hpp>
#include <berth/cli/help.hpp>
#include <berth/cli/output.hpp>
#include <berth/cli/usage_error.hpp>
#include <berth/config/directory.hpp>
#include <berth/config/environment.hpp>
#include <berth/record/record_check.hpp>

#ifndef BERTH_VERSION
#define BERTH_VERSION "0"
#endif

namespace berth::cli {
namespace {

struct named_command {
  const char* name;
  const char* help;
  const char* example;
  command run;
};

constexpr named_command commands[] = {
    {"path", "Print where the port file is expected", "cat \"$(berth path)\"", path},
    {"url", "Print the URL of the live server", "curl \"$(berth url)/health\"", url},
    {"status", "Print what is published, whether its server is alive, and why",
     "berth --json status", status},
    {"wait", "Wait until a live server is published, then print its URL", "berth wait --timeout 5s",
     wait},
    {"announce", "Publish on behalf of COMMAND until it ends, or until SIGTERM or SIGINT",
     "berth announce --port 8080 -- ./my-server", announce},
    {"ensure", "Print the URL of the live server, starting COMMAND if there is none",
     "berth ensure --timeout 1m -- pm-server", ensure},
    {"replace", "Start COMMAND beside the live server, which hands over to it and drains",
     "berth replace -- pm-server", replace},
    {"list", "Print every live server of the application on this machine", "berth list --all",
     list},
    {"stop", "Ask the live server to stop, and wait until it has gone",
     "berth stop --timeout 10s --kill", stop},
    {"clean", "Remove stale files, printing each", "berth clean", clean},
    {"doctor", "Check everything here, and say what is wrong and what to do", "berth doctor",
     doctor},
};

void add_timeout(CLI::App& to, options& options) {
  to.add_option_function<std::string>(
        "--timeout",
        [&options](const std::string& text) {
          const auto parsed = parse_duration(text);
          if (!parsed)
            throw CLI::ValidationError(
                "--timeout",
                fmt::format("\"{}\" is not a duration: use a number of seconds, or a number with a "
                            "unit, as in 500ms, 5s, 2m or 1h, at most a year",
                            text));
          options.timeout = *parsed;
        },
        "Give up after this time: 5s, 500ms, 2m, 1h, or seconds")
      ->type_name("DURATION");
}

void add_announcement(CLI::App& to, options& options) {
  to.add_option("--port", options.port, "Port that the server listens on")
      ->required()
      ->check(CLI::Range(1, 65535));
  to.add_option("--host", options.host, "Address that the server is bound to")
      ->default_val("127.0.0.1");
  to.add_option("--version", options.version, "Version of the server")->default_val("unknown");
  to.add_option("COMMAND", options.command, "The server and its arguments, after --");
}

void add_ensuring(CLI::App& to, options& options) {
  to.add_option("--exact-version", options.exact_version, "Replace a server of any other version");
  to.add_flag("--per-version", options.per_version,
              "Run it as an instance of its own, INSTANCE-VERSION, beside other versions")
      ->needs("--exact-version");
  to.add_option("--min-version", options.minimum_version, "Replace a server of an earlier version");
  to.add_option("--log", options.log, "File for its output (INSTANCE.log in the directory)");
  to.add_option("COMMAND", options.command, "The server and its arguments, after --")->required();
}

void add_url(CLI::App& to, options& options) {
  to.add_option("--endpoint", options.endpoint,
                "Print the URL of one of its other endpoints, by name");
  to.add_flag("--with-token", options.with_token, "Include the token that the server requires");
}

void add_list(CLI::App& to, options& options) {
  to.add_flag("--all", options.all, "List the servers of every application");
  to.add_flag("--watch", options.watch, "Keep running, and print each change");
}

void add_stopping(CLI::App& to, options& options) {
  to.add_flag("--now", options.now, "Cancel requests in flight instead of waiting for them");
  to.add_flag("--kill", options.kill,
              "End it by force if it has not ended within --timeout (10 seconds)");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream rest(text);
  for (std::string each; std::getline(rest, each);) lines.push_back(std::move(each));
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

void check_names(const options& options) {
  (void)location(options.application, "", options.instance);
  if (!options.host.empty()) check_host(options.host, "--host");
  check_plain_text(options.version, "--version");
  if (has_password(options.registry))
    throw invalid_value(fmt::format(
        "--registry must not hold a password, which everybody could read in the list of "
        "processes: put the URL into {} or the configuration, or the password into a "
        "file, as in etcd://USER@HOST:PORT?password_file=FILE",
        variable_name(options.application, "REGISTRY")));
}

/// The options that every command takes.
void add_common(CLI::App& to, options& options) {
  to.set_version_flag("-V,--version", "berth " BERTH_VERSION);
  to.add_option("--app", options.application, "Name of the application")
      ->default_val(default_application());
  to.add_option("--config-dir", options.config_dir, "Directory of the port file");
  to.add_option("--instance", options.instance, "Name of the server, if the directory has several")
      ->default_val(std::string(default_instance));
  to.add_option("--registry", options.registry,
                "For url, list, wait and status: etcd://HOST:PORT[,HOST:PORT][/PREFIX], or file");
  to.add_flag("--json", options.json, "Print one JSON document");
}

void add_command(CLI::App& to, const named_command& added, command_line& parsed) {
  options& options = parsed.options;
  CLI::App* const sub = to.add_subcommand(added.name, added.help);
  sub->footer(std::string("Example:\n  ") + added.example);
  sub->callback([&parsed, run = added.run] { parsed.chosen = run; });
  if (added.run == wait || added.run == stop || added.run == ensure || added.run == replace)
    add_timeout(*sub, options);
  if (added.run == ensure || added.run == replace) add_ensuring(*sub, options);
  if (added.run == url) add_url(*sub, options);
  if (added.run == list) add_list(*sub, options);
  if (added.run == stop) add_stopping(*sub, options);
  if (added.run == announce) add_announcement(*sub, options);
}

void check(const command_line& parsed) {
  check_names(parsed.options);
  const command asking[] = {url, list, wait, status};
  if (!parsed.options.registry.empty() &&
      std::find(std::begin(asking), std::end(asking), parsed.chosen) == std::end(asking))
    throw invalid_value("--registry goes with url, list, wait and status");
}

/// Prints --help and --version on standard output, and usage errors on standard error.
int print_outcome(const CLI::App& app, const CLI::ParseError& ended, int argc,
                  const char* const* argv) {
  std::ostringstream text, ignored;
  if (app.exit(ended, text, ignored) != 0) {
    complain(usage_message(app, ended, argc, argv));
    return wrong_usage;
  }
  const auto lines = lines_of(text.str());
  options shown;
  shown.json = app.get_option("--json")->count() > 0;
  if (shown.json)
    answer(shown, dynamic_cast<const CLI::CallForVersion*>(&ended) ? "version" : "help",
           fmt::format("{}", fmt::join(lines, "\n")));
  else
    print_lines(lines);
  return done;
}

}  // namespace

command_line parse_command_line(int argc, const char* const* argv) {
  command_line parsed;
  CLI::App app("Publishes and finds the one server of a workspace", "berth");
  app.formatter(std::make_shared<help_formatter>());
  app.require_subcommand(1);
  app.fallthrough();
  add_common(app, parsed.options);
  for (const auto& each : commands) add_command(app, each, parsed);
  try {
    app.parse(argc, argv);
    parsed.options.instance_is_given = app.get_option("--instance")->count() > 0;
    check(parsed);
  } catch (const CLI::ParseError& ended) {
    parsed.exit_status = print_outcome(app, ended, argc, argv);
  } catch (const invalid_value& wrong) {
    complain(wrong);
    parsed.exit_status = wrong_usage;
  }
  return parsed;
}

}  // namespace berth::cli
