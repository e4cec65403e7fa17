#include <berth/discovery/instance_list.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <set>
#include <thread>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/exception_message.hpp>
#include <berth/base/log.hpp>
#include <berth/discovery/instance_list_places.hpp>
#include <berth/discovery/lock_file.hpp>
#include <berth/store/digest.hpp>
#include <berth/store/trust.hpp>

namespace berth::instance_list {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t max_entry_size = 64 * 1024;

/// "pm@0123456789abcdef": the application, and a digest of the port file's path.
std::string entry_name(const location& where, const fs::path& port_file) {
  return fmt::format("{}@{}", where.application, digest(port_file.string()));
}

fs::path absolute_port_file(const location& where) {
  std::error_code failed;
  const auto path = fs::absolute(where.port_file(), failed);
  if (failed) throw error(failed, "find the current directory");
  return path.lexically_normal();
}

/// Only $BERTH_LIST_DIR, if it is set: tests and sandboxes keep their servers out of the user's
/// list.
std::vector<place> candidates() {
  const char* const chosen = std::getenv("BERTH_LIST_DIR");
  return chosen && *chosen ? std::vector<place>{{chosen}} : places();
}

/// The places that exist and are the user's own.
std::vector<fs::path> present() {
  std::vector<fs::path> own;
  std::error_code ignored;
  for (auto& each : candidates())
    if (fs::exists(each.path, ignored) && prepare_own_directory(each.path))
      own.push_back(std::move(each.path));
  return own;
}

/// The location that the entry points to; nullopt if the file is not an entry or is incomplete.
std::optional<location> read_entry(const fs::path& entry) {
  const std::string name = entry.filename().string();
  const auto at = name.rfind('@');
  if (at == std::string::npos || !is_plain_name(name.substr(0, at))) return std::nullopt;
  const auto text = read_trusted_file(entry, max_entry_size);
  if (!text || !text->ends_with('\n')) return std::nullopt;
  const fs::path port_file(text->substr(0, text->size() - 1));
  if (!port_file.is_absolute() || !is_plain_name(port_file.stem().string())) return std::nullopt;
  return location(name.substr(0, at), port_file.parent_path(), port_file.stem().string());
}

std::optional<finding> examine_live(const location& where, const liveness_strategy& strategy) {
  auto found = examine(where, strategy);
  if (found && found->stale()) found.reset();
  return found;
}

/// A server that holds its entry, or has just entered itself, will publish again.
void take_away(const fs::path& entry, const location& where, const liveness_strategy& strategy) {
  auto file = open_file::to_lock_existing(entry.native());
  if (!file || !file->try_lock(lock_range::owner)) return;
  if (examine_live(where, strategy) || identify(entry) != file->status().id) return;
  remove_file(entry);
}

}  // namespace

std::vector<fs::path> taken_places() {
  std::vector<fs::path> taken;
  std::error_code ignored;
  for (auto& each : candidates()) {
    if (prepare_own_directory(each.path, each.above)) return taken;
    if (fs::exists(fs::symlink_status(each.path, ignored))) taken.push_back(std::move(each.path));
  }
  return taken;
}

std::string describe_taken(const fs::path& place) {
  return fmt::format("{} is not a directory of yours that you alone can change: {}", place.string(),
                     why_not_own(place));
}

fs::path directory() {
  static std::atomic<bool> told = false;
  const auto taken = taken_places();
  for (const auto& each : candidates()) {
    if (!prepare_own_directory(each.path, each.above)) continue;
    if (!taken.empty() && !told.exchange(true))
      log::warning("{}; servers are listed in {} meanwhile", describe_taken(taken.front()),
                   each.path.string());
    return each.path;
  }
  std::string names;
  for (const auto& each : candidates()) names += (names.empty() ? "" : ", ") + each.path.string();
  throw error(fmt::format("there is no place for the list of instances: none of {} can be created "
                          "or is yours alone; set BERTH_LIST_DIR to a directory of yours",
                          names),
              std::make_error_code(std::errc::permission_denied));
}

held_entry::held_entry(const location& where) {
  const fs::path port_file = absolute_port_file(where);
  name_ = entry_name(where, port_file);
  text_ = port_file.string() + "\n";
}

// A process that lists the servers holds the lock of an ended server's entry for some microseconds.
bool held_entry::hold() {
  constexpr int most = 20;
  for (int turn = 0; turn < most; ++turn) {
    if (try_to_hold()) return true;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return false;
}

bool held_entry::try_to_hold() {
  if (file_ && identify(file_->path()) == file_->status().id) return true;
  const fs::path entry = directory() / name_;
  file_ = open_file::to_lock(entry.native());
  if (!file_->try_lock(lock_range::owner) || identify(entry) != file_->status().id) {
    file_.reset();
    return false;
  }
  if (file_->status().size == text_.size()) return true;  // its name is a digest of its text
  if (file_->status().size == 0) {
    file_->write(text_);
    return true;
  }
  remove();
  return false;
}

void held_entry::announce() noexcept {
  try {
    if (file_) file_->touch();
  } catch (...) {
    log_ignored_exception("announcing a server in the list of instances");
  }
}

void held_entry::remove() {
  if (file_ && identify(file_->path()) == file_->status().id) remove_file(file_->path());
  file_.reset();
}

std::optional<fs::path> find_held(const location& where) {
  const std::string name = entry_name(where, absolute_port_file(where));
  for (const auto& each : present()) {
    try {
      auto entry = each / name;
      if (lock_file::query(entry, lock_range::owner) == lock_state::held) return entry;
    } catch (const error&) {
      // A server cannot enter itself in a list that cannot be read, and logs that.
      log_ignored_exception("looking for an entry in the list of instances");
    }
  }
  return std::nullopt;
}

std::vector<listed_instance> live(std::string_view application, const liveness_strategy& strategy) {
  std::vector<listed_instance> all;
  std::set<fs::path> seen;
  std::error_code failed;
  for (const auto& place : present()) {
    for (const auto& each : fs::directory_iterator(place, failed)) {
      try {
        const auto where = read_entry(each.path());
        if (!where || (!application.empty() && where->application != application)) continue;
        if (!seen.insert(each.path().filename()).second) continue;
        if (auto found = examine_live(*where, strategy))
          all.push_back({*where, std::move(*found)});
        else
          take_away(each.path(), *where, strategy);
      } catch (const error&) {
        // An unreadable port file is not listed as live. Its entry stays: another user may read it.
        log_ignored_exception("listing instances");
      }
    }
    if (failed) throw error(failed, "list", place.string());
  }
  std::sort(all.begin(), all.end(), [](const auto& one, const auto& other) {
    const int order = one.where.directory.compare(other.where.directory);
    return order < 0 || (order == 0 && one.where.instance < other.where.instance);
  });
  return all;
}

}  // namespace berth::instance_list
