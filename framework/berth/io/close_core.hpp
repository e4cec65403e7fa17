// How a unique_core begins to close what it owns: instantiate it once per core, after the core's
// definition. Private to io/.
#pragma once

#include <berth/io/unique_core.hpp>

namespace berth {

template <typename Core>
void core_closer<Core>::operator()(Core* core) const noexcept {
  core->close();
}

}  // namespace berth
