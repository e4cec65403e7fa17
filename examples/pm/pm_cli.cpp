// A client of pm-server: finds it by its port file, asks it over HTTP.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <berth/config/directory.hpp>
#include <berth/discovery/port_file.hpp>

#include "http_get.hpp"
#include "pretty.hpp"

namespace {

constexpr int failed = 1, wrong_usage = 2, no_live_server = 3;

int list_projects(std::string server, const std::string& config_dir, bool pretty) {
  std::string token;
  if (server.empty()) {
    const berth::location where("pm", berth::config_directory("pm", config_dir));
    const auto found = berth::read_live(where);
    if (!found) {
      fmt::print(stderr,
                 "No running pm-server found (checked {}). Start one with pm-server, or use "
                 "--server URL.\n",
                 where.port_file().string());
      return no_live_server;
    }
    server = berth::url_of(*found);
    token = found->token;
  }
  const std::string projects = pm::http_get(server + "/api/v1/projects", token);
  fmt::print("{}\n", pretty ? pm::pretty(projects) : projects);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
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
    fmt::print(stderr, "pm-cli: {}\n", refused.what());
    return failed;
  }
}
