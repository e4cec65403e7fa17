// The environment of this process, as a child would get it.
#pragma once

#include <string>
#include <vector>

namespace berth {

/// "NAME=VALUE" each. Not while another thread changes the environment.
std::vector<std::string> our_environment();

}  // namespace berth
