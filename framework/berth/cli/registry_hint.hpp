// Whether another registry than the file system may be configured, without reading the whole
// configuration.
#pragma once

#include <berth/discovery/location.hpp>

namespace berth::cli {

/// By <APP>_REGISTRY, or because config.toml has the word in it.
bool may_ask_registry(const location& where);

}  // namespace berth::cli
