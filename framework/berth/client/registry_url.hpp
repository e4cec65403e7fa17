// The form of a registry's URL, for the registry itself and for programs that do not connect to it.
// No I/O; thread-safe.
#pragma once

#include <string>

namespace berth {

/// Throws invalid_value, whose message holds no password, unless `url` is "file" or
/// etcd://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]...][/PREFIX][?PARAMETERS], or the same with
/// etcds.
void check_registry_url(const std::string& url);

}  // namespace berth
