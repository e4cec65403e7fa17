// Lists this user's servers on this machine, wherever their directories are. Each publish leaves a
// small entry in a directory of the user's, whose place does not depend on the environment. An
// entry only points to a port file, whose liveness decides; listing removes the entries of servers
// that have ended. Blocks on files; thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <berth/discovery/port_file.hpp>
#include <berth/store/location.hpp>

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

/// Adds the entry of the server that is published at `where`. Throws berth::error.
void enter(const location& where);

/// Removes the entry, unless another server is live there by now.
void leave(const location& where);

/// Every live server of `application`, or of every application if that is empty, sorted by path.
std::vector<listed_instance> live(std::string_view application,
                                  const liveness_strategy& strategy = default_liveness());

}  // namespace instance_list
}  // namespace berth
