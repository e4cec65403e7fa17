#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/config/environment.hpp>
#include <berth/config/settings.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/json_object.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/discovery/trust.hpp>

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

/// What was looked at and found good, and what was found wrong, with what to do.
struct report {
  std::vector<std::string> good;
  std::vector<std::string> faults;

  /// A check that throws is a fault that says what it threw.
  template <typename Check>
  void examine(Check check) {
    try {
      check();
    } catch (const std::exception& failed) {
      faults.push_back(failed.what());
    }
  }
};

void examine_directory(const location& where, report& into) {
  const auto& directory = where.directory;
  const auto named = variable(where.application, "CONFIG_DIR");
  if (named && fs::path(*named).is_relative())
    into.faults.push_back(
        fmt::format("{} is the relative path {}, which means another directory in every place: "
                    "make it absolute",
                    variable_name(where.application, "CONFIG_DIR"), *named));
  if (!fs::exists(directory)) {
    into.good.push_back(
        fmt::format("directory {}: not there yet; the first server makes it", directory.string()));
    return;
  }
  prepare_directory(directory);
  into.good.push_back(
      fmt::format("directory {}: there, and only its owner can change it", directory.string()));
  if (is_local(directory)) return;
  into.faults.push_back(
      fmt::format("{} is on a file system that another machine or process serves: look-ups may "
                  "wait for it, and "
                  "a server's death may not be seen; use a local directory",
                  directory.string()));
}

void examine_settings(const location& where, report& into) {
  validate(load_settings(where.application, where.directory));
  const auto file = where.directory / "config.toml";
  into.good.push_back(fs::exists(file) ? fmt::format("configuration {}: valid", file.string())
                                       : "configuration: no config.toml, the defaults hold");
}

void examine_port_file(const location& where, report& into) {
  const auto path = where.port_file().string();
  const auto found = examine(where);
  if (!found) {
    into.good.push_back(fmt::format("port file {}: none, no server is published", path));
    return;
  }
  const auto text =
      fmt::format("port file {}: {} (PID {}) is {}: {}", path, url_of(found->server),
                  found->server.pid, to_string(found->judged.state), found->judged.reason);
  switch (found->judged.state) {
    case liveness::alive: into.good.push_back(text); break;
    case liveness::dead:
      into.faults.push_back(text +
                            "; remove the file with: berth clean, or start a server, which "
                            "replaces it");
      break;
    case liveness::unknown:
      into.faults.push_back(text +
                            "; it counts as live: if you know that it has ended, remove the "
                            "file");
      break;
  }
}

void examine_lock(const location& where, report& into) {
  const auto path = where.lock_file();
  const auto lock = open_file::to_read(path);
  if (!lock) return;
  if (!lock->status().regular) {
    into.faults.push_back(fmt::format("{} is not a regular file: remove it", path.string()));
    return;
  }
  if (lock_file::query(path, lock_range::mutation) == lock_state::held)
    into.faults.push_back(fmt::format(
        "a process is changing what {} guards at this moment; if that stays so, it is halted: find "
        "it with lsof",
        path.string()));
  const bool held = lock_file::query(path, lock_range::owner) == lock_state::held;
  if (held && !fs::exists(where.port_file()))
    into.faults.push_back(
        fmt::format("a server holds {}, but its port file is missing; it publishes it again by "
                    "itself, if it is "
                    "not halted",
                    path.string()));
  else
    into.good.push_back(
        fmt::format("lock {}: {}", path.string(), held ? "held by the server" : "free"));
}

void examine_leftovers(const location& where, report& into) {
  std::error_code ignored;
  const std::string begin = "." + where.instance + ".";
  for (const auto& entry : fs::directory_iterator(where.directory, ignored)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(begin) && name.ends_with(".tmp"))
      into.faults.push_back(
          fmt::format("{} was left by a server that was killed while it published: remove it",
                      entry.path().string()));
  }
}

void examine_list(report& into) {
  const auto list = instance_list::directory();
  if (!fs::exists(list)) return;
  prepare_directory(list);
  check_own(list);
  into.good.push_back(fmt::format("list of instances {}: there, and yours", list.string()));
}

}  // namespace

int doctor(const options& given) {
  const location where = given.where();
  report found;
  found.examine([&] { examine_directory(where, found); });
  found.examine([&] { examine_settings(where, found); });
  found.examine([&] { examine_port_file(where, found); });
  found.examine([&] { examine_lock(where, found); });
  found.examine([&] { examine_leftovers(where, found); });
  found.examine([&] { examine_list(found); });
  if (given.json) {
    fmt::memory_buffer out;
    json_object object(out);
    object.member("good", found.good);
    object.member("faults", found.faults);
    object.end();
    print({out.data(), out.size()});
  } else {
    for (const auto& each : found.good) print("ok     " + each);
    for (const auto& each : found.faults) print("FAULT  " + each);
  }
  return found.faults.empty() ? done : failed;
}

}  // namespace berth::cli
