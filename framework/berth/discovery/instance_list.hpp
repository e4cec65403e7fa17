// Lists this user's servers on this machine, wherever their directories are. Each server has a
// small entry in a directory of the user's, whose place does not depend on the environment. An
// entry only points to a port file, whose liveness decides; listing removes the entries of servers
// that have ended. A server keeps its entry locked, so that it is known to live even while its own
// directory is gone. Blocks on files; thread-safe, but each held_entry is for one thread at a time.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <berth/discovery/port_file.hpp>
#include <berth/store/location.hpp>
#include <berth/store/open_file.hpp>

namespace berth {

struct listed_instance {
  location where;
  finding found;
};

namespace instance_list {

/// Where new entries go: the first place that is the user's own, created if it is missing. Logs a
/// warning, once, if another user has taken an earlier place. Throws berth::error, which names all
/// of them, if there is none.
std::filesystem::path directory();

/// The places before directory() that another user has taken.
std::vector<std::filesystem::path> taken_places();

/// Names the owner of such a place and what to do about it.
std::string describe_taken(const std::filesystem::path& place);

/// The entry of one server, which the destructor unlocks and leaves to be judged by its port file.
class held_entry {
 public:
  /// Opens nothing. Throws berth::error if `where` is relative to a directory that is gone.
  explicit held_entry(const location& where);

  /// Enters the server and locks the entry, also again if another program has deleted it. Returns
  /// false while another server holds it. Throws berth::error.
  bool hold();
  bool held() const noexcept { return file_.has_value(); }
  /// Notifies the programs that watch the list: the port file that the entry points to is
  /// published. If that fails, they notice when they look again.
  void announce() noexcept;
  void let_go() noexcept { file_.reset(); }
  /// Removes the entry, if it is held.
  void remove();

 private:
  bool try_to_hold();

  std::string name_;
  std::string text_;
  std::optional<open_file> file_;
};

/// The entry of `where` that a live server holds; nullopt if none does, or if none can be read.
std::optional<std::filesystem::path> find_held(const location& where);

/// Every live server of `application`, or of every application if that is empty, sorted by path.
std::vector<listed_instance> live(std::string_view application,
                                  const liveness_strategy& strategy = default_liveness());

}  // namespace instance_list
}  // namespace berth
