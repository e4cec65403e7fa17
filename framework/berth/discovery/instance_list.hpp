// The servers of this user on this machine, wherever their directories are. Each publish leaves a
// small entry in $XDG_RUNTIME_DIR/berth, or in a directory of the user's below the temporary one.
// An entry decides nothing: it points to a port file, which is judged; entries of servers that are
// gone vanish when somebody looks. Blocks on files; any thread.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include <berth/discovery/location.hpp>
#include <berth/discovery/port_file.hpp>

namespace berth {

struct listed_instance {
  location where;
  finding found;
};

namespace instance_list {

/// Where the entries are. May not exist.
std::filesystem::path directory();

/// Leaves the entry of what is published at `where`. Throws berth::error.
void enter(const location& where);

/// Takes the entry away, unless another server is live there by now.
void leave(const location& where);

/// Every live server of `application`, or of all where that is empty, in the order of their paths.
std::vector<listed_instance> live(std::string_view application,
                                  const liveness_strategy& strategy = default_liveness());

}  // namespace instance_list
}  // namespace berth
