// Suggests what a mistyped word was meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

/// The candidate that is nearest to `word`; empty if none is near enough.
std::string suggestion_for(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace berth::cli
