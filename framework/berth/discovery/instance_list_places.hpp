// Where the list of instances may be; one file per platform. Private to discovery/.
#pragma once

#include <filesystem>
#include <vector>

#include <berth/store/trust.hpp>

namespace berth::instance_list {

struct place {
  std::filesystem::path path;
  parents above = parents::must_exist;
};

/// The preferred place first, unless $BERTH_LIST_DIR names one. Thread-safe.
std::vector<place> places();

}  // namespace berth::instance_list
