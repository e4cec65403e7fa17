#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/exception_message.hpp>
#include <berth/base/redact.hpp>
#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/client/registry_url.hpp>
#include <berth/config/directory.hpp>
#include <berth/config/environment.hpp>
#include <berth/config/file_system.hpp>
#include <berth/config/settings.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/discovery/start_log.hpp>
#include <berth/record/json_object.hpp>
#include <berth/store/trust.hpp>
#include <berth/store/volume.hpp>

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

/// The results of all checks: what is right, and what is wrong and what to do about it.
struct report {
  std::vector<std::string> good;
  std::vector<std::string> faults;

  /// Runs a check. Its exception becomes a fault.
  template <typename Check>
  void examine(Check check) {
    try {
      check();
    } catch (...) {
      faults.push_back(exception_message());
    }
  }
};

bool path_exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// The directory or, if it does not exist, the ancestor in which it would be created.
fs::path nearest_existing(fs::path directory) {
  std::error_code ignored;
  directory = fs::absolute(directory, ignored);
  while (!path_exists(directory) && directory.has_relative_path())
    directory = directory.parent_path();
  return directory;
}

void examine_space(const fs::path& directory, report& results) {
  if (const auto refusal = write_refusal(directory))
    results.faults.push_back(error(refusal, "publish in", directory.string()).what());
  if (auto shortage = shortage_on(directory); !shortage.empty())
    results.faults.push_back(std::move(shortage));
}

void examine_variable(const location& location, report& results) {
  const auto named = variable(location.application, "CONFIG_DIR");
  if (named && fs::path(*named).is_relative())
    results.faults.push_back(
        fmt::format("{} is the relative path {}, which means another directory in every place: "
                    "make it absolute",
                    variable_name(location.application, "CONFIG_DIR"), *named));
}

void examine_directory(const location& location, report& results) {
  const auto& directory = location.directory;
  std::error_code ignored;
  if (fs::is_symlink(fs::symlink_status(directory, ignored)) && !path_exists(directory)) {
    results.faults.push_back(
        fmt::format("{} is a symbolic link to nothing: remove it", directory.string()));
    return;
  }
  examine_space(nearest_existing(directory), results);
  if (!path_exists(directory)) {
    results.good.push_back(fmt::format(
        "directory {}: does not exist yet; the first server creates it", directory.string()));
    return;
  }
  check_named_directory(directory);
  results.good.push_back(
      fmt::format("directory {}: exists, {}", directory.string(), who_can_change(directory)));
  if (is_local(directory)) return;
  results.faults.push_back(
      fmt::format("{} is on a file system that another machine or process serves: look-ups may "
                  "wait for it, and a server's death may not be seen; use a local directory",
                  directory.string()));
}

void examine_settings(const location& location, report& results) {
  validate(load_settings(location.application, location.directory));
  bool any_file = false;
  for (const auto& file :
       {user_config_file(location.application), location.directory / "config.toml"}) {
    if (file.empty() || !path_exists(file)) continue;
    results.good.push_back(fmt::format("configuration {}: valid", file.string()));
    any_file = true;
  }
  if (!any_file) results.good.push_back("configuration: no config.toml, the defaults apply");
}

/// Checks the form of its URL: only a look-up shows whether the registry answers.
void examine_registry(const options& options, report& results) {
  std::string url;
  try {
    url = options.registry_url();
  } catch (const error&) {
    return;  // examine_settings reports it
  }
  if (url.empty()) return;
  check_registry_url(url);
  results.good.push_back(fmt::format("registry {}: its URL is well-formed", without_password(url)));
}

void examine_log(const location& location, report& results) {
  const start_log log{location.directory / (location.instance + ".log")};
  log.check();
  if (path_exists(log.path))
    results.good.push_back(fmt::format("log {}: usable", log.path.string()));
}

void examine_port_file(const location& location, report& results) {
  const auto path = location.port_file().string();
  const auto found = examine_to_replace(location);
  if (!found) {
    results.good.push_back(fmt::format("port file {}: none, no server is published", path));
    return;
  }
  const std::string remedy =
      write_refusal(location.directory)
          ? "; nothing can remove or replace it before the directory is writable"
          : "; remove the file with: berth clean, or start a server, which replaces it";
  if (found->server.pid == 0) {
    results.faults.push_back(fmt::format("port file {}: {}{}", path, found->judged.reason, remedy));
    return;
  }
  const auto text =
      fmt::format("port file {}: {} (PID {}) is {}: {}", path, url_of(found->server),
                  found->server.pid, to_string(found->judged.state), found->judged.reason);
  switch (found->judged.state) {
    case liveness::alive: results.good.push_back(text); break;
    case liveness::dead: results.faults.push_back(text + remedy); break;
    case liveness::unknown:
      results.faults.push_back(text +
                               "; it counts as live: if you know that it has ended, remove the "
                               "file");
      break;
  }
}

void examine_lock(const location& location, report& results) {
  const auto path = location.lock_file();
  const auto lock = open_file::to_read(path);
  if (!lock) return;
  if (!lock->status().regular) {
    results.faults.push_back(fmt::format("{} is not a regular file: remove it", path.string()));
    return;
  }
  if (lock_file::query(path, lock_range::mutation) == lock_state::held)
    results.faults.push_back(
        fmt::format("a process is changing the files that {} guards; if this persists, it is "
                    "halted: find it with lsof",
                    path.string()));
  const bool held = lock_file::query(path, lock_range::owner) == lock_state::held;
  if (held && !path_exists(location.port_file()))
    results.faults.push_back(
        fmt::format("a server holds {}, but its port file is missing; it publishes the file again "
                    "unless it is halted",
                    path.string()));
  else
    results.good.push_back(
        fmt::format("lock {}: {}", path.string(), held ? "held by the server" : "free"));
}

void examine_leftovers(const location& location, report& results) {
  std::error_code ignored;
  const std::string begin = "." + location.instance + ".";
  for (const auto& entry : fs::directory_iterator(location.directory, ignored)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(begin) && name.ends_with(".tmp"))
      results.faults.push_back(
          fmt::format("{} was left by a server that was killed while it published: remove it",
                      entry.path().string()));
  }
}

void examine_list(report& results) {
  std::string directory;
  results.examine([&] { directory = instance_list::directory().string(); });
  for (const auto& each : instance_list::taken_places())
    results.faults.push_back(
        instance_list::describe_taken(each) +
        (directory.empty() ? "" : fmt::format("; servers are listed in {} meanwhile", directory)));
  if (!directory.empty()) results.good.push_back("list of instances: in " + directory);
}

}  // namespace

int doctor(const options& options) {
  report results;
  results.examine([&] {
    const auto location = options.server_location();
    results.examine([&] { examine_variable(location, results); });
    results.examine([&] { examine_directory(location, results); });
    results.examine([&] { examine_settings(location, results); });
    results.examine([&] { examine_registry(options, results); });
    results.examine([&] { examine_log(location, results); });
    results.examine([&] { examine_port_file(location, results); });
    results.examine([&] { examine_lock(location, results); });
    results.examine([&] { examine_leftovers(location, results); });
  });
  results.examine([&] { examine_list(results); });
  if (options.json) {
    fmt::memory_buffer out;
    json_object object(out);
    object.member("good", results.good);
    object.member("faults", results.faults);
    if (!results.faults.empty())
      object.member("error", fmt::format("number of faults found: {}", results.faults.size()));
    object.end();
    print_json({out.data(), out.size()});
  } else {
    for (const auto& each : results.good) print("ok     " + each);
    for (const auto& each : results.faults) print("FAULT  " + each);
  }
  return results.faults.empty() ? done : failed;
}

}  // namespace berth::cli
