// The registries other than the file system are in a module of their own, beside this program or in
// libexec, because they need libcurl, which takes longer to load than a look-up in the file system
// takes as a whole. The module is loaded when a registry is first used, and stays loaded.
#pragma once

#include <berth/client/registry.hpp>

namespace berth::cli {

/// Loads the module and adds its registries. Throws berth::error if it is missing, or if this build
/// has none.
void add_loaded_registries(registry_factories& factories);

/// The name of the one function that the module exports.
inline constexpr const char* registry_module_function = "berth_add_registries";

}  // namespace berth::cli

extern "C" void berth_add_registries(berth::registry_factories& factories);
