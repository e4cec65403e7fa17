// A client of pm-server: finds it by its port file, asks it over HTTP.
#include <algorithm>
#include <csignal>
#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <berth/base/error.hpp>
#include <berth/base/printable.hpp>
#include <berth/config/directory.hpp>
#include <berth/discovery/port_file.hpp>

#include "http_get.hpp"
#include "pretty.hpp"

namespace {

constexpr int failed = 1, wrong_usage = 2, no_live_server = 3;

/// Escapes control characters: a server's answer may hold anything.
void print(const std::string& text) {
  const std::string shown = berth::printable_lines(text) + '\n';
  if (std::fwrite(shown.data(), 1, shown.size(), stdout) != shown.size() ||
      std::fflush(stdout) != 0)
    throw berth::error(berth::last_system_error(), "write", "standard output");
}

void complain(const std::string& message) { fmt::print(stderr, "{}\n", berth::printable(message)); }

int list_projects(std::string server, const std::string& config_dir, bool pretty) {
  std::string token;
  if (server.empty()) {
    const berth::location where("pm", berth::config_directory("pm", config_dir));
    const auto found = berth::read_live(where);
    if (!found) {
      complain(
          fmt::format("No running pm-server found (checked {}). Start one with pm-server, or use "
                      "--server URL.",
                      where.port_file().string()));
      return no_live_server;
    }
    server = berth::url_of(*found);
    token = found->token;
  }
  // A query, as in a URL with a token, stays after the path.
  const auto query = std::min(server.find('?'), server.size());
  std::string base = server.substr(0, query);
  while (base.ends_with('/')) base.pop_back();
  const std::string projects =
      pm::http_get(base + "/api/v1/projects" + server.substr(query), token);
  print(pretty ? pm::pretty(projects) : projects);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
#ifdef SIGPIPE
  std::signal(SIGPIPE, SIG_IGN);  // a pipe that nobody reads is a failed write
#endif
  std::string server, config_dir;
  bool pretty = false;
  CLI::App app("Asks the running pm-server", "pm-cli");
  app.add_option("--server", server, "URL of the server, instead of looking for it");
  app.add_option("--config-dir", config_dir, "Directory of the port file");
  app.require_subcommand(1);
  app.fallthrough();
  CLI::App* const project = app.add_subcommand("project", "What is on the board");
  project->require_subcommand(1);
  project->fallthrough();
  CLI::App* const list = project->add_subcommand("list", "Print all projects as JSON");
  list->add_flag("--pretty", pretty, "Over several lines");
  try {
    app.parse(argc, argv);
    return list_projects(server, config_dir, pretty);
  } catch (const CLI::ParseError& ended) {
    return app.exit(ended) == 0 ? 0 : wrong_usage;
  } catch (const std::exception& refused) {
    complain(fmt::format("pm-cli: {}", refused.what()));
    return failed;
  }
}
