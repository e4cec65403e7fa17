// Tells quickly whether a registry other than the file system may be configured, without parsing
// the configuration.
#pragma once

#include <berth/store/location.hpp>

namespace berth::cli {

/// Whether <APP>_REGISTRY is set, or a config.toml contains the word.
bool may_ask_registry(const location& location);

}  // namespace berth::cli
