#include <berth/discovery/instance_list.hpp>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/discovery/digest.hpp>
#include <berth/discovery/file_text.hpp>
#include <berth/discovery/process.hpp>
#include <berth/discovery/trust.hpp>

namespace berth::instance_list {
namespace {

namespace fs = std::filesystem;

/// "pm@0123456789abcdef": the application, and a digest of the port file's path.
fs::path entry_of(const location& where, const fs::path& port_file) {
  return directory() / fmt::format("{}@{}", where.application, digest(port_file.string()));
}

/// What the entry points to; nothing where it is no entry, or not written yet.
std::optional<location> read_entry(const fs::path& entry) {
  const std::string name = entry.filename().string();
  const auto at = name.rfind('@');
  if (at == std::string::npos || !is_plain_name(name.substr(0, at))) return std::nullopt;
  const auto file = open_file::to_read(entry);
  if (!file) return std::nullopt;
  const std::string_view text = read_text(*file, file->status());
  if (!text.ends_with('\n')) return std::nullopt;
  const fs::path port_file(text.substr(0, text.size() - 1));
  if (!port_file.is_absolute() || !is_plain_name(port_file.stem().string())) return std::nullopt;
  return location(name.substr(0, at), port_file.parent_path(), port_file.stem().string());
}

std::optional<finding> examine_live(const location& where, const liveness_strategy& strategy) {
  auto found = examine(where, strategy);
  if (found && found->stale()) found.reset();
  return found;
}

/// The server may have come back while its entry was taken away: then that is put back.
void take_away(const fs::path& entry, const location& where, const liveness_strategy& strategy) {
  remove_file(entry);
  if (examine_live(where, strategy)) enter(where);
}

}  // namespace

fs::path directory() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime && *runtime) return fs::path(runtime) / "berth";
  return fs::temp_directory_path() / ("berth-" + this_user());
}

void enter(const location& where) {
  const fs::path port_file = fs::absolute(where.port_file()).lexically_normal();
  prepare_directory(directory());
  check_own(directory());
  const fs::path entry = entry_of(where, port_file);
  if (read_entry(entry)) return;  // its name says what it points to
  remove_file(entry);
  auto made = open_file::to_create(entry);
  if (made) made->write(port_file.string() + "\n");
}

void leave(const location& where) {
  std::error_code none;
  if (!fs::exists(directory(), none)) return;
  const fs::path port_file = fs::absolute(where.port_file()).lexically_normal();
  take_away(entry_of(where, port_file), where, default_liveness());
}

std::vector<listed_instance> live(std::string_view application, const liveness_strategy& strategy) {
  std::vector<listed_instance> all;
  std::error_code none;
  if (!fs::exists(directory(), none)) return all;
  check_own(directory());
  for (const auto& each : fs::directory_iterator(directory())) {
    try {
      const auto where = read_entry(each.path());
      if (!where || (!application.empty() && where->application != application)) continue;
      if (auto found = examine_live(*where, strategy))
        all.push_back({*where, std::move(*found)});
      else
        take_away(each.path(), *where, strategy);
    } catch (const error&) {
      // A port file that cannot be read is no live server; its entry stays for who can.
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& one, const auto& other) {
    const int order = one.where.directory.compare(other.where.directory);
    return order < 0 || (order == 0 && one.where.instance < other.where.instance);
  });
  return all;
}

}  // namespace berth::instance_list
